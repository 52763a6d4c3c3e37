#include "roles/coordinator/objections.h"

#include <gtest/gtest.h>

namespace muster::roles::coordinator {
namespace {

const Error kNotThere{Code::kNotFound, "model not here"}, kTooLong{Code::kUnsupported, "too long"};
const auto kOfItself = [](const std::string& machine) { return machine; };
const auto kOfItsOwner = [](const std::string& machine) { return machine.substr(0, 1); };
const auto kByNobody = [](Objections::Subject) { return false; };

TEST(Objections, CountMachinesOrOwnersOnce) {
  Objections objections;
  EXPECT_EQ(objections.voices(3, kOfItself), 0u);
  objections.add(3, "a1", kTooLong);
  objections.add(3, "a1", kTooLong);
  EXPECT_EQ(objections.voices(3, kOfItself), 1u);
  objections.add(3, "a2", kTooLong);
  EXPECT_EQ(objections.voices(3, kOfItself), 2u);
  EXPECT_EQ(objections.voices(3, kOfItsOwner), 1u);
  EXPECT_EQ(objections.voices(4, kOfItself), 0u) << "of another item";
}

TEST(Objections, WithdrawWhatIsSaidOfTheModelOnly) {
  Objections objections;
  objections.add(Objections::kModel, "a", kNotThere);
  objections.add(3, "a", kTooLong);
  objections.withdraw("b");
  EXPECT_EQ(objections.voices(Objections::kModel, kOfItself), 1u);
  objections.withdraw("a");
  EXPECT_EQ(objections.voices(Objections::kModel, kOfItself), 0u);
  EXPECT_EQ(objections.voices(3, kOfItself), 1u);
  objections.withdraw("a");
}

TEST(Objections, AreOpenUntilSomebodyCould) {
  Objections objections;
  EXPECT_EQ(objections.open(kByNobody), nullptr);
  objections.add(3, "a", kTooLong);
  objections.add(Objections::kModel, "b", kNotThere);
  ASSERT_NE(objections.open(kByNobody), nullptr);
  EXPECT_EQ(objections.open(kByNobody)->message, kNotThere.message) << "the model comes first";
  const auto has_the_model = [](Objections::Subject subject) {
    return subject == Objections::kModel;
  };
  EXPECT_EQ(objections.open(has_the_model)->message, kTooLong.message);
  EXPECT_EQ(objections.open([](Objections::Subject) { return true; }), nullptr);
}

}  // namespace
}  // namespace muster::roles::coordinator
