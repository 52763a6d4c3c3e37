#include "engine/model/kernels.h"

#include <bit>
#include <cmath>

// One body, three instruction sets, chosen by the loader.
#define MUSTER_SIMD __attribute__((target_clones("avx512f", "avx2", "default")))

namespace muster::engine {
namespace {

constexpr int64_t kLanes = 16;  // Partial sums are always 16 wide, whatever the machine.

// e^x to about 2 ulp for x in [-87, 88], clamped outside. Cephes' reduction and polynomial.
[[gnu::always_inline]] inline float exp_clamped(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number.
  const float shifted = x * 1.44269504088896341f + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t exponent = (std::bit_cast<int32_t>(shifted) - 0x4b400000 + 127) << 23;
  return p * std::bit_cast<float>(exponent);
}

[[gnu::always_inline]] inline float sum_lanes(const float* lanes) {
  double total = 0;
  for (int64_t j = 0; j < kLanes; ++j) total += static_cast<double>(lanes[j]);
  return static_cast<float>(total);
}

[[gnu::always_inline]] inline float max_of(const float* x, int64_t size) {
  float lanes[kLanes];
  for (float& lane : lanes) lane = -INFINITY;
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
  }
  for (; i < size; ++i) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
  float top = lanes[0];
  for (float lane : lanes) top = lane > top ? lane : top;
  return top;
}

}  // namespace

MUSTER_SIMD void rms_norm(const float* x, const float* weight, float epsilon, int64_t size,
                          float* out) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[j] += x[i + j] * x[i + j];
  }
  for (; i < size; ++i) lanes[0] += x[i] * x[i];
  const float mean = sum_lanes(lanes) / static_cast<float>(size);
  const float scale = 1.0f / std::sqrt(mean + epsilon);
  for (int64_t k = 0; k < size; ++k) out[k] = x[k] * scale * weight[k];
}

MUSTER_SIMD void layer_norm(const float* x, const float* weight, const float* bias, float epsilon,
                            int64_t size, float* out) {
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += static_cast<double>(x[i]);
  const auto mean = static_cast<float>(sum / static_cast<double>(size));
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[j] += (x[i + j] - mean) * (x[i + j] - mean);
  }
  for (; i < size; ++i) lanes[0] += (x[i] - mean) * (x[i] - mean);
  const float variance = sum_lanes(lanes) / static_cast<float>(size);
  const float scale = 1.0f / std::sqrt(variance + epsilon);
  for (int64_t k = 0; k < size; ++k) out[k] = (x[k] - mean) * scale * weight[k] + bias[k];
}

MUSTER_SIMD void silu_times(float* gate, const float* up, int64_t size) {
  for (int64_t i = 0; i < size; ++i) {
    gate[i] = gate[i] / (1.0f + exp_clamped(-gate[i])) * up[i];
  }
}

MUSTER_SIMD void gelu(float* x, int64_t size) {
  for (int64_t i = 0; i < size; ++i) {
    const float z = std::fabs(x[i]) * 0.70710678118654752f;
    const float t = 1.0f / (1.0f + 0.3275911f * z);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const float tail = p * t * exp_clamped(-z * z);  // 1 - erf(z)
    const float share = x[i] < 0 ? 0.5f * tail : 1.0f - 0.5f * tail;
    x[i] *= share;
  }
}

MUSTER_SIMD void add(float* x, const float* y, int64_t size) {
  for (int64_t i = 0; i < size; ++i) x[i] += y[i];
}

MUSTER_SIMD void rotate(float* x, const float* cosines, const float* sines, int64_t half) {
  for (int64_t i = 0; i < half; ++i) {
    const float a = x[i], b = x[i + half];
    x[i] = a * cosines[i] - b * sines[i];
    x[i + half] = b * cosines[i] + a * sines[i];
  }
}

MUSTER_SIMD void softmax(float* x, float scale, int64_t size) {
  const float top = max_of(x, size);
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) {
      x[i + j] = exp_clamped((x[i + j] - top) * scale);
      lanes[j] += x[i + j];
    }
  }
  for (; i < size; ++i) {
    x[i] = exp_clamped((x[i] - top) * scale);
    lanes[0] += x[i];
  }
  const float inverse = 1.0f / sum_lanes(lanes);
  for (int64_t k = 0; k < size; ++k) x[k] *= inverse;
}

MUSTER_SIMD LogSumExp log_sum_exp(const float* x, int64_t size) {
  LogSumExp out{0, max_of(x, size), -INFINITY, 0};
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[j] += exp_clamped(x[i + j] - out.top);
  }
  for (; i < size; ++i) lanes[0] += exp_clamped(x[i] - out.top);
  out.value = out.top + std::log(sum_lanes(lanes));
  while (out.top_index < size && x[out.top_index] != out.top) ++out.top_index;
  // The largest of the others: what lies before the top, and what lies behind it.
  const float before = out.top_index > 0 ? max_of(x, out.top_index) : -INFINITY;
  const int64_t rest = size - out.top_index - 1;
  const float behind = rest > 0 ? max_of(x + out.top_index + 1, rest) : -INFINITY;
  out.second = before > behind ? before : behind;
  return out;
}

}  // namespace muster::engine
