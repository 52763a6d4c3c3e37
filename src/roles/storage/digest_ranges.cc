#include "roles/storage/digest_ranges.h"

#include <algorithm>
#include <bit>

namespace muster::roles::storage {
namespace {

constexpr size_t kPerRange = 64, kMostRanges = 256;
using Ranges = google::protobuf::RepeatedPtrField<pb::CompareRanges::Range>;

size_t range_of(const Digest& digest, size_t count) { return digest.bytes[0] * count / 256; }

Ranges folded(const std::vector<Digest>& digests, size_t count) {
  Ranges ranges;
  for (size_t i = 0; i < count; ++i) ranges.Add()->set_fold(std::string(Digest().view()));
  for (const Digest& digest : digests) {
    pb::CompareRanges::Range& range = ranges[static_cast<int>(range_of(digest, count))];
    range.set_count(range.count() + 1);
    std::string& fold = *range.mutable_fold();
    for (size_t i = 0; i < fold.size(); ++i) fold[i] ^= static_cast<char>(digest.bytes[i]);
  }
  return ranges;
}

}  // namespace

Ranges to_ranges(const std::vector<Digest>& digests) {
  return folded(digests, std::min(kMostRanges, std::bit_ceil(digests.size() / kPerRange + 1)));
}

std::vector<Digest> in_other_ranges(const std::vector<Digest>& digests, const Ranges& theirs,
                                    size_t most) {
  const auto count = static_cast<size_t>(theirs.size());
  if (count == 0 || count > kMostRanges || !std::has_single_bit(count)) return {};
  const Ranges mine = folded(digests, count);
  std::vector<Digest> others;
  for (const Digest& digest : digests) {
    const auto range = static_cast<int>(range_of(digest, count));
    const bool same =
        mine[range].count() == theirs[range].count() && mine[range].fold() == theirs[range].fold();
    if (!same) others.push_back(digest);
  }
  std::sort(others.begin(), others.end());
  if (others.size() > most) others.resize(most);
  return others;
}

}  // namespace muster::roles::storage
