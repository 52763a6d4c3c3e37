#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"

namespace muster::eval {

// What a model is asked: how likely `continuation` is after `context`.
struct Request {
  std::string context, continuation;
};

// One document of a task as requests, and what is needed to judge the answers.
struct Item {
  int64_t doc_id = 0;             // 0-based position in the evaluation split.
  std::vector<Request> requests;  // One per choice, in the order of the choices.
  std::vector<int64_t> lengths;   // Of each choice, in Unicode code points, without the delimiter.
  int64_t gold = 0;               // Index of the right choice.
  Json doc;                       // The document as processed by the task.
};

// What a model answered to one request.
struct Response {
  double loglikelihood = 0;
  bool is_greedy = false;
};

// Names the requests of one item: equal digests, equal questions.
Digest request_digest(const std::vector<Request>& requests);

// Names everything a job asks, in order.
Digest frozen_digest(const std::vector<Digest>& request_digests);

}  // namespace muster::eval
