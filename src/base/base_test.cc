// The parts every other folder leans on: bounded readers, digests, chance that repeats itself.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/frame.h"
#include "base/json.h"
#include "base/rng.h"

namespace muster {
namespace {

TEST(Digest, MatchesThePublishedVectorOfAbc) {
  EXPECT_EQ(sha256("abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, FieldsDoNotRunIntoEachOther) {
  Hasher one, other;
  one.add_field("ab");
  one.add_field("c");
  other.add_field("a");
  other.add_field("bc");
  EXPECT_NE(one.finish(), other.finish());
}

TEST(Json, RefusesWhatIsTooDeepTooLargeOrNotFinite) {
  EXPECT_TRUE(parse_json("[[1]]", 100));
  EXPECT_FALSE(parse_json(std::string(65, '[') + std::string(65, ']'), 1000));
  EXPECT_FALSE(parse_json("[1,2,3]", 6));
  EXPECT_FALSE(parse_json("[1e999]", 100));
  EXPECT_FALSE(parse_json("{} x", 100));
  EXPECT_FALSE(parse_json(R"({"a":1,"b":2,"a":3})", 100));
  EXPECT_FALSE(parse_json("\"\xff\"", 100));
}

TEST(Json, RefusesAMegabyteOfNestedCborArraysWithoutOverflowingTheStack) {
  EXPECT_FALSE(parse_cbor(std::string(1 << 20, '\x81'), 2 << 20));
}

// Strings of unknown length nest in the reader, where a bound on depth does not see them.
TEST(Json, RefusesCborStringsOfUnknownLength) {
  for (const char head : {'\x5f', '\x7f'}) {
    EXPECT_FALSE(parse_cbor(std::string(1 << 20, head), 2 << 20));
    EXPECT_FALSE(parse_cbor(std::string("\x81") + head + "\x60\xff", 100));
  }
  // The same bytes within a string, or as the end of a number, are no heads.
  const Json document{{"___", "\x7f_"}, {"n", 0x5f5f5f5f}, {"d", 1.0f}};
  EXPECT_EQ(*parse_cbor(to_cbor(document), 1000), document);
  EXPECT_EQ(*parse_cbor("\x9f\x61\x5f\xff", 100), Json::array({"_"}));
}

TEST(Json, RefusesCborTextThatIsNoUtf8AndLengthsBeyondTheEnd) {
  EXPECT_FALSE(parse_cbor("\x61\xff", 100));
  EXPECT_FALSE(parse_cbor("\x7b\xff\xff\xff\xff\xff\xff\xff\xff", 100));
  EXPECT_FALSE(parse_cbor("\x5b\x00\x00", 100));
  EXPECT_FALSE(parse_cbor("", 100));
}

// The least number that fits, and the one below it, which was read as 9223372036854775807.
TEST(Json, RefusesCborNumbersBelowTheLeastThatFits) {
  EXPECT_EQ(*parse_cbor("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff", 100), INT64_MIN);
  const std::string below("\x3b\x80\x00\x00\x00\x00\x00\x00\x00", 9);
  EXPECT_EQ(parse_cbor(below, 100).error().code, Code::kDataLoss);
  EXPECT_FALSE(parse_cbor("\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 100));
}

// 12 MB that would take 250 MB of memory.
TEST(Json, RefusesMoreThanFourMillionValues) {
  std::string text = "[0";
  for (int i = 0; i < 4'000'000; ++i) text += ",[]";
  const auto read = parse_json(text + "]", 64 << 20);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "JSON: more than 4,000,000 values");
  EXPECT_TRUE(parse_json(text.substr(0, 3 * 1'000'000 - 1) + "]", 64 << 20));
}

TEST(Json, CborAndJsonGiveTheSameDocument) {
  const Json document = *parse_json(R"({"b":[1,-2,0.5,null,true],"a":{"x":"\u00e9"}})", 100);
  EXPECT_EQ(*parse_cbor(to_cbor(document), 1000), document);
  EXPECT_EQ(document.dump(), R"({"b":[1,-2,0.5,null,true],"a":{"x":"é"}})");
}

TEST(Json, NamesTheFieldItMisses) {
  const Json object = *parse_json(R"({"n":"x","big":18446744073709551615})", 100);
  EXPECT_EQ(get_int(object, "n").error().message, "n must be a whole number");
  EXPECT_FALSE(get_int(object, "big"));
  EXPECT_FALSE(get_bool(object, "absent"));
}

TEST(Rng, ForksAreIndependentAndRepeatable) {
  Rng rng(7);
  EXPECT_EQ(Rng(7).fork("a").next(), Rng(7).fork("a").next());
  EXPECT_NE(Rng(7).fork("a").next(), Rng(7).fork("b").next());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(rng.below(3), 3u);
}

TEST(Frame, ComesOutAsItWentIn) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  ASSERT_TRUE(write_frame(ends[0], Json{{"say", "hello"}, {"n", 3}}));
  auto message = read_frame(ends[1]);
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((**message)["n"], 3);
  ASSERT_EQ(::write(ends[0], "\x7f\xff\xff\xff", 4), 4);
  EXPECT_FALSE(read_frame(ends[1]));
  ::close(ends[0]);
  auto end = read_frame(ends[1]);
  EXPECT_TRUE(end && !*end);
  ::close(ends[1]);
}

TEST(File, ReplacesInOneStepAndSaysWhatIsMissing) {
  const Path path = Path(::testing::TempDir()) / "muster_base_test_file";
  ASSERT_TRUE(write_file_atomically(path, "one"));
  ASSERT_TRUE(write_file_atomically(path, "two"));
  EXPECT_EQ(*read_file(path, 100), "two");
  EXPECT_EQ(read_file(path, 2).error().code, Code::kDataLoss);
  ::unlink(path.c_str());
  EXPECT_EQ(read_file(path, 100).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace muster
