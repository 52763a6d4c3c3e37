// Whoever was asked answers once.
#include "roles/storage/one_answers.h"

#include <gtest/gtest.h>

#include "roles/grants.h"
#include "wire/no_keys.h"

namespace muster::roles::storage {
namespace {

OpenedRecord answer(uint64_t lease, uint32_t item, double value) {
  const NoKeys keys;
  pb::JobKey key;
  key.set_job("job");
  key.set_run(1);
  pb::GrantTerms terms;
  terms.set_lease(lease);
  terms.set_machine("worker");
  terms.add_items(1);
  terms.add_items(2);
  pb::Record record;
  record.set_job("job");
  record.set_run(1);
  record.mutable_answer()->set_item(item);
  record.mutable_answer()->add_responses()->set_loglikelihood(value);
  *record.mutable_answer()->mutable_grant() = sign_grant(key, terms, keys);
  return *open_record(sign_record(record, keys), keys);
}

TEST(OneAnswers, OneAQuestion) {
  OneAnswers answers;
  EXPECT_TRUE(answers.admit(answer(7, 1, -1), false));
  EXPECT_TRUE(answers.admit(answer(7, 1, -1), false)) << "the same again";
  EXPECT_FALSE(answers.admit(answer(7, 1, -2), false)) << "another to the same question";
  EXPECT_TRUE(answers.admit(answer(7, 2, -2), false)) << "another item";
  EXPECT_TRUE(answers.admit(answer(8, 1, -2), false)) << "asked for once more";
}

TEST(OneAnswers, ABoundedNumberAsCopies) {
  OneAnswers answers;
  EXPECT_TRUE(answers.admit(answer(7, 1, 0), false));
  for (size_t n = 1; n < OneAnswers::kMostCopied; ++n) {
    EXPECT_TRUE(answers.admit(answer(7, 1, -static_cast<double>(n)), true)) << n;
  }
  EXPECT_FALSE(answers.admit(answer(7, 1, -100), true));
  EXPECT_TRUE(answers.admit(answer(7, 1, -1), true)) << "the same again";
}

TEST(OneAnswers, ForgetsWhatIsOver) {
  OneAnswers answers;
  EXPECT_TRUE(answers.admit(answer(7, 1, -1), false));
  answers.keep_only([](const RunKey&) { return false; });
  EXPECT_TRUE(answers.admit(answer(7, 1, -2), false));
}

}  // namespace
}  // namespace muster::roles::storage
