#pragma once

#include <cstdint>

namespace muster::engine {

// The element-wise parts of a decoder on float32 rows in memory, in a fixed order and width of our
// own: ATen's silu, gelu and attention give bits that depend on the shape of the batch.
// Compiled for AVX-512, AVX2 and the base instruction set; the machine picks at run time.

// out[i] = x[i] / sqrt(mean(x^2) + epsilon) * weight[i]; `size` elements.
void rms_norm(const float* x, const float* weight, float epsilon, int64_t size, float* out);

// out[i] = (x[i] - mean) / sqrt(variance + epsilon) * weight[i] + bias[i].
void layer_norm(const float* x, const float* weight, const float* bias, float epsilon, int64_t size,
                float* out);

// gate[i] = silu(gate[i]) * up[i].
void silu_times(float* gate, const float* up, int64_t size);

// x[i] = x[i] * Phi(x[i]), Phi the normal distribution; erf by Abramowitz & Stegun 7.1.26,
// absolute error below 2e-7.
void gelu(float* x, int64_t size);

// x[i] += y[i].
void add(float* x, const float* y, int64_t size);

// Turns the pairs (x[i], x[i + half]) of one head by the angles given as cosines and sines [half].
void rotate(float* x, const float* cosines, const float* sines, int64_t half);

// x = softmax(scale * x) over `size` elements, in place.
void softmax(float* x, float scale, int64_t size);

struct LogSumExp {
  float value;        // log(sum(exp(x)))
  float top, second;  // The two largest elements.
  int64_t top_index;  // Lowest index of the largest.
};
LogSumExp log_sum_exp(const float* x, int64_t size);

}  // namespace muster::engine
