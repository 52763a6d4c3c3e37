#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "wire/authority.h"
#include "wire/bounds.h"
#include "wire/join.h"
#include "wire/line_rules.h"

namespace muster::wire {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string read(const std::string& path) {
  std::ifstream in(std::string(MUSTER_SOURCE_DIR) + "/" + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The part of docs/protocol.md between two markers is what the program prints. MUSTER_REWRITE=1
// writes it.
void expect_in_docs(const std::string& name, const std::string& printed) {
  const std::string path = "docs/protocol.md";
  const std::string begin = "<!-- " + name + " -->\n", end = "<!-- end of " + name + " -->";
  std::string page = read(path);
  const size_t from = page.find(begin), to = page.find(end);
  ASSERT_NE(from, std::string::npos) << "docs/protocol.md has no part called " << name;
  ASSERT_NE(to, std::string::npos);
  const size_t at = from + begin.size();
  if (std::getenv("MUSTER_REWRITE") != nullptr) {
    page.replace(at, to - at, printed);
    std::ofstream(std::string(MUSTER_SOURCE_DIR) + "/" + path) << page;
    return;
  }
  EXPECT_EQ(page.substr(at, to - at), printed);
}

std::string name_of(pb::Envelope::BodyCase body) {
  return pb::Envelope::GetDescriptor()->FindFieldByNumber(body)->message_type()->name();
}

// Every type that an envelope or a record can hold.
void collect(const Descriptor* type, std::set<const Descriptor*>& types) {
  if (!types.insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    if (const Descriptor* inner = type->field(i)->message_type()) collect(inner, types);
  }
}

TEST(Authority, EveryBodyHasOneRow) {
  const auto* body = pb::Envelope::GetDescriptor()->FindOneofByName("body");
  std::multiset<int> rows;
  for (pb::Envelope::BodyCase which : bodies()) rows.insert(which);
  for (int i = 0; i < body->field_count(); ++i) {
    EXPECT_EQ(rows.count(body->field(i)->number()), 1u) << body->field(i)->name();
  }
  EXPECT_EQ(rows.size(), static_cast<size_t>(body->field_count()));
}

TEST(Authority, WhatNobodyMaySayNobodyMaySay) {
  for (int from = -1; from <= 9; ++from) {
    for (int to = -1; to <= 9; ++to) {
      const auto say = [&](pb::Envelope::BodyCase body) {
        return may_say(static_cast<pb::Role>(from), static_cast<pb::Role>(to), body);
      };
      EXPECT_FALSE(say(pb::Envelope::kChallenge));
      EXPECT_FALSE(say(pb::Envelope::kHello));
      EXPECT_FALSE(say(pb::Envelope::BODY_NOT_SET));
    }
  }
}

TEST(Authority, AnInsiderSpeaksForItselfAlone) {
  const auto node_says = [](pb::Role from, pb::Role to, pb::Envelope::BodyCase body) {
    return may_say(from, to, body);
  };
  EXPECT_TRUE(node_says(pb::ROLE_WORKER, pb::ROLE_STORAGE, pb::Envelope::kPut));
  EXPECT_FALSE(node_says(pb::ROLE_STORAGE, pb::ROLE_STORAGE, pb::Envelope::kPut));
  for (pb::Role from : {pb::ROLE_WORKER, pb::ROLE_STORAGE, pb::ROLE_UNSPECIFIED}) {
    EXPECT_FALSE(node_says(from, pb::ROLE_SERVER, pb::Envelope::kFinish));
    EXPECT_FALSE(node_says(from, pb::ROLE_SERVER, pb::Envelope::kReportCharge));
    EXPECT_FALSE(node_says(from, pb::ROLE_STORAGE, pb::Envelope::kPoolState));
    EXPECT_FALSE(node_says(from, pb::ROLE_UNSPECIFIED, pb::Envelope::kPoolState));
    EXPECT_FALSE(node_says(from, pb::ROLE_UNSPECIFIED, pb::Envelope::kRefused));
    EXPECT_FALSE(node_says(from, pb::ROLE_WORKER, pb::Envelope::kPrepare));
    EXPECT_FALSE(node_says(from, pb::ROLE_WORKER, pb::Envelope::kGrant));
  }
}

TEST(Authority, ANodeHasTheRolesOfItsFlag) {
  EXPECT_TRUE(may_speak_as(pb::ROLE_WORKER, pb::ROLE_FLAG_AUTO));
  EXPECT_TRUE(may_speak_as(pb::ROLE_STORAGE, pb::ROLE_FLAG_AUTO));
  EXPECT_FALSE(may_speak_as(pb::ROLE_WORKER, pb::ROLE_FLAG_STORAGE));
  EXPECT_FALSE(may_speak_as(pb::ROLE_STORAGE, pb::ROLE_FLAG_COMPUTE));
  EXPECT_FALSE(may_speak_as(pb::ROLE_WORKER, pb::ROLE_FLAG_COORDINATOR));
  EXPECT_FALSE(may_speak_as(pb::ROLE_COORDINATOR, pb::ROLE_FLAG_AUTO));
  for (pb::RoleFlag flag : {pb::ROLE_FLAG_AUTO, pb::ROLE_FLAG_COORDINATOR}) {
    EXPECT_FALSE(may_speak_as(pb::ROLE_SERVER, flag));
    EXPECT_FALSE(may_speak_as(pb::ROLE_CLIENT, flag));
  }
}

TEST(Authority, ThePageOfTheProtocolPrintsTheTable) {
  std::string printed = "| body | who says it to whom |\n| --- | --- |\n";
  for (pb::Envelope::BodyCase body : bodies()) {
    const std::string who = who_says(body);
    printed += "| " + name_of(body) + " | " + (who.empty() ? "the line itself" : who) + " |\n";
  }
  expect_in_docs("who may say what", printed);
}

TEST(LineRules, SayWhatIsWrong) {
  pb::Envelope envelope;
  envelope.mutable_from()->set_role(pb::ROLE_WORKER);
  envelope.mutable_to()->set_role(pb::ROLE_SERVER);
  EXPECT_FALSE(judge(envelope, pb::ROLE_FLAG_AUTO).passes);
  EXPECT_EQ(judge(envelope, pb::ROLE_FLAG_AUTO).why, "") << "a later version's body";
  envelope.mutable_holding();
  EXPECT_TRUE(judge(envelope, pb::ROLE_FLAG_AUTO).passes);
  EXPECT_EQ(judge(envelope, pb::ROLE_FLAG_STORAGE).why,
            "Holding as a worker, which this machine is not");
  envelope.mutable_finish();
  EXPECT_EQ(judge(envelope, pb::ROLE_FLAG_AUTO).why, "Finish from a worker to the server");
  envelope.mutable_holding()->mutable_key()->set_job(std::string(65, 'x'));
  EXPECT_EQ(judge(envelope, pb::ROLE_FLAG_AUTO).why, "JobKey.job is over its bound: too long");
}

TEST(Bounds, EveryStringAndListHasOne) {
  std::set<const Descriptor*> types;
  collect(pb::Envelope::GetDescriptor(), types);
  collect(pb::Record::GetDescriptor(), types);
  collect(pb::JoinRequest::GetDescriptor(), types);
  collect(pb::JoinAnswer::GetDescriptor(), types);
  std::multiset<std::string> rows;
  for (const Bound& bound : bounds()) rows.insert(bound.field);
  size_t wanted = 0;
  for (const Descriptor* type : types) {
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      const bool is_string = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
      if (!is_string && !field->is_repeated()) continue;
      ++wanted;
      EXPECT_EQ(rows.count(field->full_name().substr(std::string("muster.v1.").size())), 1u)
          << field->full_name();
    }
  }
  EXPECT_EQ(rows.size(), wanted);
}

TEST(Bounds, AFieldOverItsBoundIsNamed) {
  pb::Envelope envelope;
  envelope.mutable_hello()->set_owner(std::string(64, 'x'));
  EXPECT_TRUE(check_bounds(envelope));
  envelope.mutable_hello()->set_owner(std::string(65, 'x'));
  EXPECT_EQ(check_bounds(envelope).error().message, "Hello.owner is over its bound: too long");
  for (int i = 0; i < 65; ++i) envelope.mutable_ready()->add_leases();
  EXPECT_EQ(check_bounds(envelope).error().message, "Ready.leases is over its bound: too many");
  envelope.Clear();
  envelope.mutable_missing_digests()->add_digests(std::string(129, 'x'));
  EXPECT_EQ(check_bounds(envelope).error().message,
            "MissingDigests.digests is over its bound: too long");
}

// Grows along `path`, and returns the message at its end.
Message& grow(Message& root, const std::vector<const FieldDescriptor*>& path) {
  Message* at = &root;
  for (const FieldDescriptor* field : path) {
    const auto* reflection = at->GetReflection();
    at = field->is_repeated() ? reflection->AddMessage(at, field)
                              : reflection->MutableMessage(at, field);
  }
  return *at;
}

void fill(Message& message, const FieldDescriptor* field, size_t bytes) {
  const auto* reflection = message.GetReflection();
  const std::string said(bytes, 'x');
  if (!field->is_repeated()) return reflection->SetString(&message, field, said);
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->AddString(&message, field, said);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return void(reflection->AddMessage(&message, field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection->AddUInt32(&message, field, 0);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection->AddUInt64(&message, field, 0);
    default:
      FAIL() << field->full_name();
  }
}

// Whether the message is within its bounds, and what is said if not.
std::string refused(const Message& message) {
  const Status checked = check_bounds(message);
  return checked ? "" : checked.error().message;
}

// Each field, wherever it stands, with the least that is over its bound, and with the most that is
// not: whatever is left out for being short, nothing over its bound may be.
void try_each_bound(const Message& root, std::vector<const FieldDescriptor*>& path) {
  const Descriptor* type = path.empty() ? root.GetDescriptor() : path.back()->message_type();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const std::string name = field->full_name().substr(std::string("muster.v1.").size());
    for (const Bound& bound : bounds()) {
      if (bound.field != name) continue;
      const std::unique_ptr<Message> message(root.New());
      Message& at = grow(*message, path);
      for (size_t n = 0; n < bound.count; ++n) fill(at, field, 0);
      if (bound.bytes > 0 && bound.count == 0) fill(at, field, bound.bytes);
      EXPECT_EQ(refused(*message), "") << name;
      fill(at, field, bound.bytes + (bound.count == 0 ? 1 : 0));
      EXPECT_TRUE(refused(*message).starts_with(name + " is over its bound")) << name;
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    path.push_back(field);
    try_each_bound(root, path);
    path.pop_back();
  }
}

TEST(Bounds, HoldWhereverAFieldStands) {
  std::vector<const FieldDescriptor*> path;
  try_each_bound(pb::Envelope::default_instance(), path);
  try_each_bound(pb::Record::default_instance(), path);
}

TEST(Bounds, WhatIsUnknownCounts) {
  pb::Envelope envelope;
  envelope.mutable_progress();
  pb::Envelope::GetReflection()->MutableUnknownFields(&envelope)->AddLengthDelimited(
      4242, std::string(kMaxEnvelopeBytes, 'x'));
  EXPECT_FALSE(check_bounds(envelope));
}

TEST(Bounds, TextsAreCutBetweenCharacters) {
  pb::Envelope envelope;
  envelope.mutable_lease_failed()->set_message(std::string(499, 'a') + "\xC3\xA9");
  fit_texts(envelope);
  EXPECT_EQ(envelope.lease_failed().message(), std::string(499, 'a'));
  EXPECT_TRUE(check_bounds(envelope));
  EXPECT_EQ(fit_text("a\xFFz", 10), "a?z");
  EXPECT_EQ(fit_text("\xE2\x82\xAC!", 10), "\xE2\x82\xAC!");
  EXPECT_EQ(fit_text("\xED\xA0\x80", 10), "???");
  EXPECT_EQ(fit_text("\xC3", 10), "?");
}

TEST(Bounds, ThePageOfTheProtocolPrintsThem) {
  std::string printed = "| field | bytes at most | how many at most |\n| --- | --- | --- |\n";
  for (const Bound& bound : bounds()) {
    printed += std::string("| ") + bound.field + " | " +
               (bound.bytes == 0 ? "" : std::to_string(bound.bytes)) +
               (bound.is_text ? ", cut" : "") + " | " +
               (bound.count == 0 ? "" : std::to_string(bound.count)) + " |\n";
  }
  expect_in_docs("bounds", printed);
}

}  // namespace
}  // namespace muster::wire
