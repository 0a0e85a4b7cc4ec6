// models.train with products of bfloat16 numbers: the gradients of train.cu by tensor cores, and the losses of validation.
//
// A block has a quarter of a member's batch, rounds the weights of all layers once into shared memory, and takes tiles of up to 64 rows
// through all layers and back. Activations and slopes are bfloat16, row after row; a row is padded to whole 16s with zeros, and 8 numbers
// longer. With x the inputs of a layer, w its weights and s its slopes, warps make blocks of 32 x 32 of x w, s w' and x' s; the last is
// summed over the rows of a tile in registers and added to the quarter's gradient in device memory, tile after tile. Sums, biases,
// functions, outputs and losses are single and double precision.
//
// src/models/train/layout.rs says where everything is in shared memory. Places of numbers are counted in 16 bits; those of the last
// layer's outputs, behind which are their slopes, and of what dropout keeps are counted in 32.
#include "common/tensor.cuh"
#include "models/train_pass.cuh"

namespace train {

using tensor::Functions;
using tensor::Half;
using tensor::Matrix;
using tensor::Stored;

/// The most rows of a tile.
constexpr u32 MOST_ROWS = 64u;

/// Outputs of which a word says whether dropout keeps them.
constexpr u32 OUTPUTS_A_WORD = 2u * BYTES_A_DRAW;

/// A network on its way through a tile.
struct RoundedPass {
    const Layer* layers;
    u32 number;
    const float* parameters;
    /// Shared memory: inputs first, then what the layers say.
    Half* memory;
    u32* kept;
    /// The most rows of a tile, and those that this one has, padded.
    u32 tile;
    u32 rows;

    __device__ __forceinline__ Matrix inputs_of(u32 layer) const {
        return Matrix{layer == 0u ? memory : memory + layers[layer - 1u].out, tensor::pitch_of(layers[layer].inputs)};
    }

    __device__ __forceinline__ Matrix weights_of(const Layer& layer) const {
        return Matrix{memory + layer.rounded, tensor::pitch_of(layer.outputs)};
    }

    /// Outputs of the last layer, in columns; behind them their slopes.
    __device__ __forceinline__ float* outputs() const {
        return reinterpret_cast<float*>(memory) + layers[number - 1u].out;
    }

    /// From one column of outputs to the next: eight rows of four columns lie in different banks.
    __device__ __forceinline__ u32 output_pitch() const {
        return tile + 4u;
    }

    __device__ __forceinline__ float* output_slopes() const {
        return outputs() + layers[number - 1u].outputs * output_pitch();
    }
};

__device__ __forceinline__ u32 word_at(const Half* place) {
    return *reinterpret_cast<const u32*>(place);
}

__device__ __forceinline__ void put_word(Half* place, u32 word) {
    *reinterpret_cast<u32*>(place) = word;
}

/// The weights of all layers, rounded, with zeros beyond inputs and outputs.
__device__ __forceinline__ void round_weights(const RoundedPass& pass) {
    for (u32 number = 0u; number < pass.number; ++number) {
        const Layer& layer = pass.layers[number];
        const Matrix weights = pass.weights_of(layer);
        const u32 fours = tensor::padded(layer.outputs) / 4u;
        for (u32 task = threadIdx.x; task < fours * tensor::padded(layer.inputs); task += blockDim.x) {
            const u32 output = 4u * (task % fours);
            const u32 input = task / fours;
            uint2 words = make_uint2(0u, 0u);
            if (input < layer.inputs && output < layer.stride) {
                const float4 w = four(pass.parameters + layer.weights + input * layer.stride + output);
                words = make_uint2(tensor::rounded(w.x, w.y), tensor::rounded(w.z, w.w));
            }
            *reinterpret_cast<uint2*>(pass.memory + layer.rounded + input * weights.pitch + output) = words;
        }
    }
}

/// The features of a tile's events, rounded; padding and rows without an event are 0.
__device__ __forceinline__ void gather(const RoundedPass& pass, const Table& table, const u32* features, const u32* events,
                                       u32 rows) {
    const Matrix to = pass.inputs_of(0u);
    const u32 inputs = pass.layers[0].inputs;
    const u32 pairs = tensor::padded(inputs) / 2u;
    for (u32 task = threadIdx.x; task < pairs * pass.rows; task += blockDim.x) {
        const u32 input = 2u * (task % pairs);
        const u32 row = task / pairs;
        float values[2] = {0.0f, 0.0f};
        if (row < rows) {
            const float* event = table.features + (u64)events[row] * table.width;
#pragma unroll
            for (u32 i = 0u; i < 2u; ++i) {
                if (input + i < inputs) values[i] = event[features[input + i]];
            }
        }
        put_word(pass.memory + row * to.pitch + input, tensor::rounded(values[0], values[1]));
    }
}

/// Which outputs dropout keeps: a bit each.
__device__ __forceinline__ void draw(const RoundedPass& pass, const Layer& layer, const Member& member, u32 epoch, u32 first) {
    const u32 words = (layer.outputs + OUTPUTS_A_WORD - 1u) / OUTPUTS_A_WORD;
    for (u32 task = threadIdx.x; task < words * pass.rows; task += blockDim.x) {
        const u32 row = task % pass.rows;
        const u32 at = task / pass.rows;
        u32 kept = 0u;
        for (u32 half = 0u; half < 2u; ++half) {
            const u32 number = 2u * at + half;
            if (number * BYTES_A_DRAW >= layer.outputs) break;
            const Draw drawn = draw_of(layer, member, epoch, first + row, number);
#pragma unroll
            for (u32 byte = 0u; byte < BYTES_A_DRAW; ++byte) {
                kept |= (drawn.keeps(layer, byte) ? 1u : 0u) << (half * BYTES_A_DRAW + byte);
            }
        }
        pass.kept[layer.kept + at * pass.tile + row] = kept;
    }
}

/// The factor of dropout of an output and of the next one; the first is even.
__device__ __forceinline__ float2 factors_of(const RoundedPass& pass, const Layer& layer, u32 row, u32 output) {
    const u32 kept = pass.kept[layer.kept + output / OUTPUTS_A_WORD * pass.tile + row] >> (output % OUTPUTS_A_WORD);
    return make_float2(kept & 1u ? layer.kept_scale : 0.0f, kept & 2u ? layer.kept_scale : 0.0f);
}

/// Whether an activation or its derivative is a function, of which the code is long.
__device__ __forceinline__ bool has_functions_of(u32 activation) {
    return activation > LEAKY_RELU;
}

/// What an activation makes of a sum; without functions those that have none.
template <Functions FUNCTIONS>
__device__ __forceinline__ float activated_of(u32 activation, float slope, float x) {
    if constexpr (FUNCTIONS == Functions::All) return activated(activation, slope, x);
    if (activation == IDENTITY) return x;
    return x > 0.0f ? x : (activation == RELU ? 0.0f : slope * x);
}

/// What becomes of the sums of a layer on the way forward.
struct Forward {
    const RoundedPass& pass;
    const Layer& layer;
    bool is_last;
    bool is_dropped;

    __device__ __forceinline__ float start(u32, u32 column) const {
        return layer.has_bias && column < layer.stride ? pass.parameters[layer.bias + column] : 0.0f;
    }

    __device__ __forceinline__ bool has_functions() const {
        return has_functions_of(layer.activation);
    }

    template <Functions FUNCTIONS>
    __device__ __forceinline__ void take(u32 row, u32 column, const float (&sums)[4]) const {
        put<FUNCTIONS>(row, column, sums[0], sums[1]);
        put<FUNCTIONS>(row + 8u, column, sums[2], sums[3]);
    }

    template <Functions FUNCTIONS>
    __device__ __forceinline__ void put(u32 row, u32 column, float x, float y) const {
        x = column < layer.outputs ? activated_of<FUNCTIONS>(layer.activation, layer.slope, x) : 0.0f;
        y = column + 1u < layer.outputs ? activated_of<FUNCTIONS>(layer.activation, layer.slope, y) : 0.0f;
        if (is_last) {
            float* to = pass.outputs() + column * pass.output_pitch() + row;
            if (column < layer.outputs) to[0] = x;
            if (column + 1u < layer.outputs) to[pass.output_pitch()] = y;
            return;
        }
        const u32 at = row * tensor::pitch_of(layer.outputs) + column;
        if (is_dropped) {
            if (layer.active != NONE) put_word(pass.memory + layer.active + at, tensor::rounded(x, y));
            const float2 factors = factors_of(pass, layer, row, column);
            x *= factors.x;
            y *= factors.y;
        }
        put_word(pass.memory + layer.out + at, tensor::rounded(x, y));
    }
};

/// The tile's inputs to its outputs. The caller's writes of weights, inputs and draws lie before a barrier; the outputs may be read on
/// return.
__device__ __forceinline__ void forward(const RoundedPass& pass, bool has_dropout) {
    for (u32 number = 0u; number < pass.number; ++number) {
        const Layer& layer = pass.layers[number];
        const Forward end = {pass, layer, number + 1u == pass.number, has_dropout && layer.dropout > 0u};
        const tensor::Sizes sizes = {pass.rows, tensor::padded(layer.outputs), tensor::padded(layer.inputs)};
        tensor::multiply<Stored::AsItIs, Stored::AsItIs>(pass.inputs_of(number), pass.weights_of(layer), sizes, end);
        __syncthreads();  // what comes out is there to go in
    }
}

/// What becomes of the sums of a gradient.
struct Gradient {
    const Layer& layer;
    float* gradient;
    bool is_first;

    /// At what the tiles before came to.
    __device__ __forceinline__ float start(u32 input, u32 output) const {
        const bool is_there = !is_first && input < layer.inputs && output < layer.stride;
        return is_there ? gradient[layer.weights + input * layer.stride + output] : 0.0f;
    }

    __device__ __forceinline__ bool has_functions() const {
        return false;
    }

    template <Functions>
    __device__ __forceinline__ void take(u32 input, u32 output, const float (&sums)[4]) const {
        if (output >= layer.stride) return;
        float* to = gradient + layer.weights + input * layer.stride + output;
        if (input < layer.inputs) *reinterpret_cast<float2*>(to) = make_float2(sums[0], sums[1]);
        to += 8u * layer.stride;
        if (input + 8u < layer.inputs) *reinterpret_cast<float2*>(to) = make_float2(sums[2], sums[3]);
    }
};

/// The derivatives by the weights and biases of a layer, added to those of the tiles before.
__device__ __forceinline__ void add_gradient(const RoundedPass& pass, u32 number, Matrix slopes, bool is_first, float* gradient) {
    const Layer& layer = pass.layers[number];
    const tensor::Sizes sizes = {tensor::padded(layer.inputs), tensor::padded(layer.outputs), pass.rows};
    const Gradient end = {layer, gradient, is_first};
    tensor::multiply<Stored::Transposed, Stored::AsItIs>(pass.inputs_of(number), slopes, sizes, end);
    if (!layer.has_bias) return;
    // The last threads, since the first warps have the most of the product.
    for (u32 at = blockDim.x - 1u - threadIdx.x; at < layer.stride / 2u; at += blockDim.x) {
        float2* to = reinterpret_cast<float2*>(gradient + layer.bias) + at;
        float2 sums = is_first ? make_float2(0.0f, 0.0f) : *to;
        for (u32 row = 0u; row < pass.rows; ++row) {
            const u32 word = word_at(slopes.numbers + row * slopes.pitch + 2u * at);
            sums.x += tensor::first_of(word);
            sums.y += tensor::second_of(word);
        }
        *to = sums;
    }
}

/// What becomes of derivatives by what comes out of a layer: those by its sums.
struct Back {
    const RoundedPass& pass;
    const Layer& before;
    Half* slopes;

    __device__ __forceinline__ float start(u32, u32) const {
        return 0.0f;
    }

    __device__ __forceinline__ bool has_functions() const {
        return has_functions_of(before.activation);
    }

    template <Functions FUNCTIONS>
    __device__ __forceinline__ void take(u32 row, u32 column, const float (&sums)[4]) const {
        put<FUNCTIONS>(row, column, sums[0], sums[1]);
        put<FUNCTIONS>(row + 8u, column, sums[2], sums[3]);
    }

    template <Functions FUNCTIONS>
    __device__ __forceinline__ void put(u32 row, u32 column, float x, float y) const {
        const u32 at = row * tensor::pitch_of(before.outputs) + column;
        u32 word = word_at(pass.memory + before.out + at);
        if (before.activation == RELU) {
            // Where something comes out it was kept and above 0.
            const float scale = before.dropout > 0u ? before.kept_scale : 1.0f;
            x = tensor::first_of(word) > 0.0f ? x * scale : 0.0f;
            y = tensor::second_of(word) > 0.0f ? y * scale : 0.0f;
        } else {
            if (before.dropout > 0u) {
                const float2 factors = factors_of(pass, before, row, column);
                x *= factors.x;
                y *= factors.y;
                word = word_at(pass.memory + before.active + at);
            }
            x *= slope_of<FUNCTIONS>(tensor::first_of(word));
            y *= slope_of<FUNCTIONS>(tensor::second_of(word));
        }
        put_word(slopes + at, tensor::rounded(x, y));
    }

    template <Functions FUNCTIONS>
    __device__ __forceinline__ float slope_of(float a) const {
        if constexpr (FUNCTIONS == Functions::All) return slope_at(before.activation, before.slope, a);
        return before.activation == IDENTITY || a > 0.0f ? 1.0f : before.slope;
    }
};

/// From derivatives by the sums of a layer to those by the sums of the layer before it.
__device__ __forceinline__ void pass_back(const RoundedPass& pass, const Layer& layer, const Layer& before, Matrix slopes,
                                          Half* to) {
    const tensor::Sizes sizes = {pass.rows, tensor::padded(before.outputs), tensor::padded(layer.outputs)};
    const Back end = {pass, before, to};
    tensor::multiply<Stored::AsItIs, Stored::Transposed>(slopes, pass.weights_of(layer), sizes, end);
}

/// The loss of a row that went forward; its derivatives by the outputs go behind them.
__device__ __forceinline__ double loss_of_row(const RoundedPass& pass, Loss loss, u32 row, const Target& target, double share) {
    const Half* inputs = pass.memory + row * tensor::pitch_of(pass.layers[0].inputs);
    const auto input = [&](u32 at) {
        const u32 word = word_at(inputs + (at & ~1u));
        return at & 1u ? tensor::second_of(word) : tensor::first_of(word);
    };
    return loss_of(loss, pass.outputs() + row, input, pass.output_slopes() + row, pass.output_pitch(),
                   pass.layers[pass.number - 1u].outputs, target.label, share, target.present);
}

/// The derivatives by the sums of the last layer, rounded; padding and rows without an event have none.
__device__ __forceinline__ void round_slopes(const RoundedPass& pass, u32 rows, Half* to) {
    const Layer& last = pass.layers[pass.number - 1u];
    const float* outputs = pass.outputs();
    const float* slopes = pass.output_slopes();
    for (u32 task = threadIdx.x; task < pass.rows * tensor::padded(last.outputs) / 2u; task += blockDim.x) {
        const u32 row = task % pass.rows;
        const u32 output = task / pass.rows * 2u;
        float values[2] = {0.0f, 0.0f};
        for (u32 i = 0u; i < 2u; ++i) {
            if (row >= rows || output + i >= last.outputs) break;
            const u32 place = (output + i) * pass.output_pitch() + row;
            values[i] = slopes[place] * slope_at(last.activation, last.slope, outputs[place]);
        }
        put_word(to + row * tensor::pitch_of(last.outputs) + output, tensor::rounded(values[0], values[1]));
    }
}

}  // namespace train

/// The gradient and the loss of a quarter of the batch of every member that is trained. A block has a quarter.
extern "C" __global__ void __launch_bounds__(128, 3) models_train_bfloat16(
    const u32* layer_words, u32 layers, u32 parameters, u32 slope_places, u32 kept_places, u32 slope_pitch, u32 tile,
    const u32* active, u32 number, const u32* member_words, const u32* inputs_of_members, const float* all_parameters,
    const float* features, const u32* present, const float* labels, const float* weights, u32 events, u32 width,
    u32 present_words, u32 has_labels, u32 loss_kind, const double* scales, u32 batch, const u32* epochs,
    const u32* samples, const u32* rows, const u32* chosen, float* gradients, double* losses) {
    using namespace train;
    extern __shared__ float4 shared[];
    __shared__ double row_losses[MOST_ROWS];
    Half* memory = reinterpret_cast<Half*>(shared);
    u32* kept = reinterpret_cast<u32*>(shared) + kept_places;
    const Table table = {features, present, labels, weights, nullptr, nullptr, events, width, present_words, has_labels};
    const Layer* all_layers = reinterpret_cast<const Layer*>(layer_words);
    for (u32 index = blockIdx.x; index < number * QUARTERS; index += gridDim.x) {
        const u32 at = active[index / QUARTERS];
        const u32 quarter = index % QUARTERS;
        const Member& member = reinterpret_cast<const Member*>(member_words)[at];
        const Loss loss = {loss_kind, member.target};
        RoundedPass pass = {all_layers, layers, all_parameters + (u64)at * parameters, memory, kept, tile, 0u};
        const u32 all_rows = rows[at];
        if (all_rows == 0u) continue;  // its epoch is over
        const Part part = part_of(all_rows, quarter);
        float* gradient = gradients + ((u64)at * QUARTERS + quarter) * parameters;
        double sum = 0.0;
        if (part.from == part.to) {
            for (u32 i = threadIdx.x; i < parameters; i += blockDim.x) gradient[i] = 0.0f;
        } else {
            round_weights(pass);
        }
        for (u32 first = part.from; first < part.to; first += tile) {
            const u32 here = min(tile, part.to - first);
            const u32* tile_events = chosen + (u64)at * batch + first;
            pass.rows = tensor::padded(here);
            gather(pass, table, inputs_of_members + (u64)at * all_layers[0].inputs, tile_events, here);
            for (u32 i = 0u; i + 1u < layers; ++i) {
                if (all_layers[i].dropout > 0u) draw(pass, all_layers[i], member, epochs[at], samples[at] + first);
            }
            __syncthreads();  // weights, inputs and draws are there to be read
            forward(pass, true);
            for (u32 row = threadIdx.x; row < here; row += blockDim.x) {
                const Target target = target_of(table, member, scales, at, tile_events[row]);
                row_losses[row] = loss_of_row(pass, loss, row, target, target.weight / (double)all_rows);
            }
            __syncthreads();  // losses and their derivatives are there to be read
            if (threadIdx.x == 0u) {
                for (u32 row = 0u; row < here; ++row) sum += row_losses[row];
            }
            Half* slopes = memory + slope_places;
            Half* others = slopes + slope_pitch;
            round_slopes(pass, here, slopes);
            __syncthreads();  // slopes are there to be read
            for (u32 i = layers; i-- > 0u;) {
                const Layer& layer = all_layers[i];
                const Matrix own = {slopes, tensor::pitch_of(layer.outputs)};
                add_gradient(pass, i, own, first == part.from, gradient);
                if (i > 0u) {
                    pass_back(pass, layer, all_layers[i - 1u], own, others);
                    Half* swapped = slopes;
                    slopes = others;
                    others = swapped;
                }
                __syncthreads();  // slopes of the layer before are there; those of this one and its inputs are read
            }
        }
        if (threadIdx.x == 0u) losses[at * QUARTERS + quarter] = sum;
    }
}

/// The losses of validation of every member that is trained, chunk after chunk of the table. A block has a chunk of a member.
extern "C" __global__ void __launch_bounds__(128, 3) models_train_validate_bfloat16(
    const u32* layer_words, u32 layers, u32 parameters, u32 slope_places, u32 kept_places, u32 tile, const u32* active,
    u32 number, const u32* member_words, const u32* inputs_of_members, const float* all_parameters, const float* features,
    const u32* present, const float* labels, const float* weights, const u32* folds, const u32* groups, u32 events, u32 width,
    u32 present_words, u32 has_labels, u32 loss_kind, const double* scales, u64 share, u32 chunks,
    double* losses, double* sums) {
    using namespace train;
    extern __shared__ float4 shared[];
    __shared__ double row_losses[MOST_ROWS];
    __shared__ double row_weights[MOST_ROWS];
    __shared__ u32 list[MOST_ROWS];
    __shared__ Choice choice;
    Half* memory = reinterpret_cast<Half*>(shared);
    u32* kept = reinterpret_cast<u32*>(shared) + kept_places;
    const Table table = {features, present, labels, weights, folds, groups, events, width, present_words, has_labels};
    const Layer* all_layers = reinterpret_cast<const Layer*>(layer_words);
    for (u32 index = blockIdx.x; index < number * chunks; index += gridDim.x) {
        const u32 at = active[index / chunks];
        const u32 chunk = index % chunks;
        const Member& member = reinterpret_cast<const Member*>(member_words)[at];
        const Loss loss = {loss_kind, member.target};
        RoundedPass pass = {all_layers, layers, all_parameters + (u64)at * parameters, memory, kept, tile, 0u};
        u64 place = (u64)chunk * EVENTS_A_CHUNK;
        const u64 end = min(place + EVENTS_A_CHUNK, (u64)events);
        double sum = 0.0;
        double weight_sum = 0.0;
        round_weights(pass);
        while (place < end) {
            const auto candidate = [&](u64 own, u32& event) {
                event = (u32)own;
                return use_of(table, member, event, share) == VALIDATION;
            };
            const u32 here = choose(candidate, place, end, tile, list, choice);
            pass.rows = tensor::padded(here);
            gather(pass, table, inputs_of_members + (u64)at * all_layers[0].inputs, list, here);
            __syncthreads();  // weights and inputs are there to be read
            forward(pass, false);
            for (u32 row = threadIdx.x; row < here; row += blockDim.x) {
                const Target target = target_of(table, member, scales, at, list[row]);
                row_weights[row] = target.weight;
                row_losses[row] = loss_of_row(pass, loss, row, target, target.weight);
            }
            __syncthreads();  // losses are there to be added
            if (threadIdx.x == 0u) {
                for (u32 row = 0u; row < here; ++row) {
                    sum += row_losses[row];
                    weight_sum += row_weights[row];
                }
            }
            // Choosing the next ones has a barrier before it writes the list, and losses are written behind it.
        }
        if (threadIdx.x == 0u) {
            losses[index] = sum;
            sums[index] = weight_sum;
        }
    }
}
