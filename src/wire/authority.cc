#include "wire/authority.h"

#include <algorithm>
#include <iterator>

namespace muster::wire {
namespace {

using Body = pb::Envelope;

// Sets of roles. A node as such, whatever its roles, is ROLE_UNSPECIFIED.
using Roles = unsigned;
constexpr Roles set_of(pb::Role role) { return 1u << static_cast<unsigned>(role); }
constexpr Roles kLine = set_of(pb::ROLE_UNSPECIFIED), kServer = set_of(pb::ROLE_SERVER),
                kCoordinator = set_of(pb::ROLE_COORDINATOR), kWorker = set_of(pb::ROLE_WORKER),
                kStorage = set_of(pb::ROLE_STORAGE), kClient = set_of(pb::ROLE_CLIENT), kNobody = 0,
                kNode = kLine | kCoordinator | kWorker | kStorage;

struct Row {
  Body::BodyCase body;
  Roles from, to;
};

constexpr Row kRows[] = {
    // A line answers these itself, before it is open.
    {Body::kChallenge, kNobody, kNobody},
    {Body::kHello, kNobody, kNobody},
    // What a node is.
    {Body::kPoolState, kServer, kLine},
    {Body::kRefused, kServer, kLine | kClient},
    {Body::kHeartbeat, kServer | kNode, kServer | kLine},
    {Body::kCaughtUp, kStorage, kServer},
    {Body::kStoreState, kStorage, kServer},
    {Body::kPoolStateSeen, kCoordinator | kWorker | kStorage, kServer},
    {Body::kHolding, kWorker, kServer},
    {Body::kRefusals, kCoordinator | kWorker | kStorage, kServer},
    // Researchers.
    {Body::kSubmit, kClient, kServer},
    {Body::kSubmitReply, kServer, kClient},
    {Body::kWatch, kClient, kServer},
    {Body::kJobUpdate, kServer, kClient},
    {Body::kListJobs, kClient, kServer},
    {Body::kJobList, kServer, kClient},
    {Body::kGetStatus, kClient, kServer},
    {Body::kPoolStatus, kServer, kClient},
    {Body::kCancelJob, kClient, kServer},
    {Body::kCancelReply, kServer, kClient},
    {Body::kHangUp, kClient, kServer},
    {Body::kPardon, kClient, kServer},
    {Body::kPardonReply, kServer, kClient},
    {Body::kWhy, kClient, kServer},
    {Body::kWhyReply, kServer, kClient},
    {Body::kJoin, kClient, kServer},
    {Body::kJoinReply, kServer, kClient},
    {Body::kCreateToken, kClient, kServer},
    {Body::kCreateTokenReply, kServer, kClient},
    {Body::kListTokens, kClient, kServer},
    {Body::kTokenList, kServer, kClient},
    {Body::kRevokeToken, kClient, kServer},
    {Body::kRevokeTokenReply, kServer, kClient},
    {Body::kRemoveMachine, kClient, kServer},
    {Body::kRemoveMachineReply, kServer, kClient},
    // Server and coordinator.
    {Body::kPinModel, kServer, kCoordinator},
    {Body::kPinned, kCoordinator, kServer},
    {Body::kAssign, kServer, kCoordinator},
    {Body::kCommitFrozen, kCoordinator, kServer},
    {Body::kFrozenCommitted, kServer, kCoordinator},
    {Body::kWantWorkers, kCoordinator, kServer},
    {Body::kLend, kServer, kCoordinator},
    {Body::kJobProgress, kCoordinator, kServer},
    {Body::kFinish, kCoordinator, kServer},
    {Body::kFinished, kServer, kCoordinator},
    {Body::kCommitClass, kCoordinator, kServer},
    {Body::kClassCommitted, kServer, kCoordinator},
    {Body::kReportCharge, kCoordinator, kServer},
    {Body::kChargeNoted, kServer, kCoordinator},
    {Body::kSilentStore, kCoordinator | kStorage, kServer},
    {Body::kOvertaken, kCoordinator, kServer},
    // Coordinator and worker.
    {Body::kPrepare, kCoordinator, kWorker},
    {Body::kPreparing, kWorker, kCoordinator},
    {Body::kReady, kWorker, kCoordinator},
    {Body::kUnable, kWorker, kCoordinator},
    {Body::kGrant, kCoordinator, kWorker},
    {Body::kProgress, kWorker, kCoordinator},
    {Body::kLeaseFailed, kWorker, kCoordinator},
    {Body::kWithdraw, kCoordinator, kWorker},
    // Stores.
    {Body::kPut, kCoordinator | kWorker, kStorage},
    {Body::kPutDone, kStorage, kCoordinator | kWorker},
    {Body::kPutRefused, kStorage, kCoordinator | kWorker},
    {Body::kSubscribe, kCoordinator | kStorage, kStorage},
    {Body::kFeed, kStorage, kCoordinator | kStorage},
    {Body::kCompareRanges, kStorage, kStorage},
    {Body::kMissingDigests, kStorage, kStorage},
};

// Every message asks; null: nobody says it.
const Row* row_of(Body::BodyCase body) {
  static const auto by_number = [] {
    std::vector<const Row*> rows;
    for (const Row& row : kRows) {
      if (rows.size() <= row.body) rows.resize(row.body + 1);
      rows[row.body] = &row;
    }
    return rows;
  }();
  return body < by_number.size() ? by_number[body] : nullptr;
}

std::string names(Roles roles) {
  constexpr std::pair<Roles, const char*> kNames[] = {
      {kLine, "node"},     {kServer, "server"},   {kCoordinator, "coordinator"},
      {kWorker, "worker"}, {kStorage, "storage"}, {kClient, "client"}};
  std::string text;
  for (const auto& [role, name] : kNames) {
    if ((roles & role) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

}  // namespace

bool may_say(pb::Role from, pb::Role to, Body::BodyCase body) {
  if (from < 0 || from > pb::ROLE_CLIENT || to < 0 || to > pb::ROLE_CLIENT) return false;
  // A node's heart beats for all its roles; the server's towards a node.
  if (body == Body::kHeartbeat && (from == pb::ROLE_SERVER) == (to == pb::ROLE_SERVER))
    return false;
  const Row* row = row_of(body);
  return row != nullptr && (row->from & set_of(from)) != 0 && (row->to & set_of(to)) != 0;
}

bool may_speak_as(pb::Role role, pb::RoleFlag flag) {
  switch (role) {
    case pb::ROLE_COORDINATOR:
      return flag == pb::ROLE_FLAG_COORDINATOR;
    case pb::ROLE_WORKER:
      return flag == pb::ROLE_FLAG_AUTO || flag == pb::ROLE_FLAG_COMPUTE;
    case pb::ROLE_STORAGE:
      return flag == pb::ROLE_FLAG_AUTO || flag == pb::ROLE_FLAG_STORAGE;
    default:
      return role == pb::ROLE_UNSPECIFIED;  // Its heart.
  }
}

std::string who_says(Body::BodyCase body) {
  const Row* row = row_of(body);
  if (row == nullptr || row->from == kNobody) return "";
  if (body == Body::kHeartbeat) return "node -> server, server -> node";
  return names(row->from) + " -> " + names(row->to);
}

std::vector<Body::BodyCase> bodies() {
  std::vector<Body::BodyCase> out;
  for (const Row& row : kRows) out.push_back(row.body);
  return out;
}

}  // namespace muster::wire
