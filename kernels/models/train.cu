// models.train: populations of dense networks, forward and backward.
//
// A block has a quarter of a member's batch. It takes a tile of rows through all layers and back with everything that the tile makes
// in shared memory, in columns of `rows + 4` floats, and adds up the quarter's gradient in device memory, tile after tile. A thread has
// four rows and four outputs, or four inputs and four outputs; sums go over inputs, outputs and rows in their order with fused
// multiply-adds, as on the CPU.
#include "models/train_pass.cuh"

namespace train {

/// Partial sums of weights: by the event modulo this.
constexpr u32 LANES = 256u;

/// Beyond this norm squares of gradients would not be finite in single precision.
constexpr double LARGEST_NORM = 1e18;

__device__ __forceinline__ void put_four(float* to, float4 values) {
    *reinterpret_cast<float4*>(to) = values;
}

__device__ __forceinline__ float4 times_plus(float factor, float4 values, float4 sums) {
    return make_float4(__fmaf_rn(factor, values.x, sums.x), __fmaf_rn(factor, values.y, sums.y),
                       __fmaf_rn(factor, values.z, sums.z), __fmaf_rn(factor, values.w, sums.w));
}

/// A network on its way through a tile.
struct Pass {
    const Layer* layers;
    u32 number;
    const float* parameters;
    /// Shared memory: inputs first, then what the layers say.
    float* memory;
    unsigned char* kept;
    /// Rows of a tile, and the floats from one column to the next.
    u32 tile;
    u32 pitch;

    __device__ __forceinline__ const float* inputs_of(u32 layer) const {
        return layer == 0u ? memory : memory + layers[layer - 1u].out;
    }
};

/// What a layer makes of a column's four rows.
__device__ __forceinline__ float4 activated_four(const Layer& layer, float4 x) {
    return make_float4(activated(layer.activation, layer.slope, x.x), activated(layer.activation, layer.slope, x.y),
                       activated(layer.activation, layer.slope, x.z), activated(layer.activation, layer.slope, x.w));
}

__device__ __forceinline__ float4 factors(const Layer& layer, const unsigned char* kept) {
    const float scale = layer.kept_scale;
    return make_float4(kept[0] ? scale : 0.0f, kept[1] ? scale : 0.0f, kept[2] ? scale : 0.0f, kept[3] ? scale : 0.0f);
}

__device__ __forceinline__ float4 times(float4 a, float4 b) {
    return make_float4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w);
}

/// Which outputs are kept: byte b of the draws of a sample decides about output b.
__device__ __forceinline__ void draw(const Pass& pass, const Layer& layer, const Member& member, u32 epoch, u32 first,
                                     u32 rows) {
    const u32 draws = (layer.outputs + BYTES_A_DRAW - 1u) / BYTES_A_DRAW;
    for (u32 task = threadIdx.x; task < draws * pass.tile; task += blockDim.x) {
        const u32 row = task % pass.tile;
        const u32 at = task / pass.tile;
        const Draw drawn = draw_of(layer, member, epoch, first + row, at);
#pragma unroll
        for (u32 byte = 0u; byte < BYTES_A_DRAW; ++byte) {
            const u32 output = at * BYTES_A_DRAW + byte;
            if (output >= layer.stride) break;
            const bool is_kept = output < layer.outputs && row < rows && drawn.keeps(layer, byte);
            pass.kept[layer.kept + output * pass.tile + row] = is_kept ? 1u : 0u;
        }
    }
    // Padding that no draw reaches.
    for (u32 at = draws * BYTES_A_DRAW * pass.tile + threadIdx.x; at < layer.stride * pass.tile; at += blockDim.x) {
        pass.kept[layer.kept + at] = 0u;
    }
}

/// The tile's inputs to its outputs. The caller's writes of inputs and draws lie before a barrier; the outputs may be read on return.
__device__ __forceinline__ void forward(const Pass& pass, bool has_dropout) {
    for (u32 number = 0u; number < pass.number; ++number) {
        const Layer& layer = pass.layers[number];
        const float* inputs = pass.inputs_of(number);
        const float* weights = pass.parameters + layer.weights;
        const bool is_dropped = has_dropout && layer.dropout > 0u;
        const u32 columns = layer.stride / 4u;
        for (u32 task = threadIdx.x; task < columns * (pass.tile / 4u); task += blockDim.x) {
            const u32 output = 4u * (task % columns);
            const u32 row = 4u * (task / columns);
            float4 bias = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
            if (layer.has_bias) bias = four(pass.parameters + layer.bias + output);
            float4 sums[4] = {make_float4(bias.x, bias.x, bias.x, bias.x), make_float4(bias.y, bias.y, bias.y, bias.y),
                              make_float4(bias.z, bias.z, bias.z, bias.z), make_float4(bias.w, bias.w, bias.w, bias.w)};
            for (u32 input = 0u; input < layer.inputs; ++input) {
                const float4 x = four(inputs + input * pass.pitch + row);
                const float4 w = four(weights + input * layer.stride + output);
                sums[0] = times_plus(w.x, x, sums[0]);
                sums[1] = times_plus(w.y, x, sums[1]);
                sums[2] = times_plus(w.z, x, sums[2]);
                sums[3] = times_plus(w.w, x, sums[3]);
            }
#pragma unroll
            for (u32 i = 0u; i < 4u; ++i) {
                const u32 column = output + i;
                float4 values = activated_four(layer, sums[i]);
                if (column >= layer.outputs) values = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
                if (is_dropped) {
                    if (layer.active != NONE) put_four(pass.memory + layer.active + column * pass.pitch + row, values);
                    values = times(values, factors(layer, pass.kept + layer.kept + column * pass.tile + row));
                }
                put_four(pass.memory + layer.out + column * pass.pitch + row, values);
            }
        }
        __syncthreads();  // what comes out is there to go in
    }
}

/// The derivatives by the weights and biases of a layer, added to those of the tiles before.
__device__ __forceinline__ void add_gradient(const Pass& pass, const Layer& layer, const float* inputs, const float* slopes,
                                             u32 rows, bool is_first, float* gradient) {
    const u32 columns = layer.stride / 4u;
    const u32 lines = (layer.inputs + 3u) / 4u;
    const u32 fours = (rows + 3u) / 4u;
    for (u32 task = threadIdx.x; task < columns * lines; task += blockDim.x) {
        // Side by side in a warp, and a quarter of the layer apart in a thread: neighbours read neighbouring banks.
        const u32 output = task % columns;
        const u32 input = task / columns;
        float sums[4][4];
#pragma unroll
        for (u32 i = 0u; i < 4u; ++i) {
#pragma unroll
            for (u32 j = 0u; j < 4u; ++j) {
                const u32 line = input + i * lines;
                const bool is_there = !is_first && line < layer.inputs;
                sums[i][j] = is_there ? gradient[layer.weights + line * layer.stride + output + j * columns] : 0.0f;
            }
        }
        for (u32 row = 0u; row < fours; ++row) {
            float4 x[4];
            float4 s[4];
#pragma unroll
            for (u32 i = 0u; i < 4u; ++i) {
                const u32 line = input + i * lines;
                x[i] = four(inputs + (line < layer.inputs ? line : 0u) * pass.pitch + 4u * row);
                s[i] = four(slopes + (output + i * columns) * pass.pitch + 4u * row);
            }
#pragma unroll
            for (u32 i = 0u; i < 4u; ++i) {
#pragma unroll
                for (u32 j = 0u; j < 4u; ++j) {
                    float sum = __fmaf_rn(x[i].x, s[j].x, sums[i][j]);
                    sum = __fmaf_rn(x[i].y, s[j].y, sum);
                    sum = __fmaf_rn(x[i].z, s[j].z, sum);
                    sums[i][j] = __fmaf_rn(x[i].w, s[j].w, sum);
                }
            }
        }
#pragma unroll
        for (u32 i = 0u; i < 4u; ++i) {
            const u32 line = input + i * lines;
            if (line >= layer.inputs) continue;
#pragma unroll
            for (u32 j = 0u; j < 4u; ++j) {
                gradient[layer.weights + line * layer.stride + output + j * columns] = sums[i][j];
            }
        }
    }
    if (!layer.has_bias) return;
    for (u32 output = threadIdx.x; output < layer.stride; output += blockDim.x) {
        float sum = is_first ? 0.0f : gradient[layer.bias + output];
        for (u32 row = 0u; row < rows; ++row) sum += slopes[output * pass.pitch + row];
        gradient[layer.bias + output] = sum;
    }
}

/// From derivatives by the sums of a layer to those by the sums of the layer before it.
__device__ __forceinline__ void pass_back(const Pass& pass, const Layer& layer, const Layer& before, const float* slopes,
                                          float* to) {
    const float* weights = pass.parameters + layer.weights;
    const u32 columns = before.stride / 4u;
    for (u32 task = threadIdx.x; task < columns * (pass.tile / 4u); task += blockDim.x) {
        const u32 input = task % columns;
        const u32 row = 4u * (task / columns);
        float4 sums[4];
#pragma unroll
        for (u32 i = 0u; i < 4u; ++i) sums[i] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
        for (u32 output = 0u; output < layer.outputs; output += 4u) {
            float4 w[4];
#pragma unroll
            for (u32 i = 0u; i < 4u; ++i) {
                const u32 line = input + i * columns;
                w[i] = line < layer.inputs ? four(weights + line * layer.stride + output) : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
            }
            const u32 left = layer.outputs - output;
            float4 s = four(slopes + output * pass.pitch + row);
#pragma unroll
            for (u32 i = 0u; i < 4u; ++i) sums[i] = times_plus(w[i].x, s, sums[i]);
            if (left > 1u) {
                s = four(slopes + (output + 1u) * pass.pitch + row);
#pragma unroll
                for (u32 i = 0u; i < 4u; ++i) sums[i] = times_plus(w[i].y, s, sums[i]);
            }
            if (left > 2u) {
                s = four(slopes + (output + 2u) * pass.pitch + row);
#pragma unroll
                for (u32 i = 0u; i < 4u; ++i) sums[i] = times_plus(w[i].z, s, sums[i]);
            }
            if (left > 3u) {
                s = four(slopes + (output + 3u) * pass.pitch + row);
#pragma unroll
                for (u32 i = 0u; i < 4u; ++i) sums[i] = times_plus(w[i].w, s, sums[i]);
            }
        }
#pragma unroll
        for (u32 i = 0u; i < 4u; ++i) {
            const u32 column = input + i * columns;
            float4 value = sums[i];
            const float4 out = four(pass.memory + before.out + column * pass.pitch + row);
            if (before.activation == RELU) {
                // Where something comes out it was kept and above 0.
                const float scale = before.dropout > 0u ? before.kept_scale : 1.0f;
                value = make_float4(out.x > 0.0f ? value.x * scale : 0.0f, out.y > 0.0f ? value.y * scale : 0.0f,
                                    out.z > 0.0f ? value.z * scale : 0.0f, out.w > 0.0f ? value.w * scale : 0.0f);
            } else {
                float4 a = out;
                if (before.dropout > 0u) {
                    value = times(value, factors(before, pass.kept + before.kept + column * pass.tile + row));
                    a = four(pass.memory + before.active + column * pass.pitch + row);
                }
                value = times(value, make_float4(slope_at(before.activation, before.slope, a.x),
                                                 slope_at(before.activation, before.slope, a.y),
                                                 slope_at(before.activation, before.slope, a.z),
                                                 slope_at(before.activation, before.slope, a.w)));
            }
            put_four(to + column * pass.pitch + row, value);
        }
    }
}

/// The features of a tile's events, in columns; rows without an event are 0.
__device__ __forceinline__ void gather(const Pass& pass, const Table& table, const u32* features, const u32* events, u32 rows) {
    const u32 inputs = pass.layers[0].inputs;
    for (u32 task = threadIdx.x; task < inputs * pass.tile; task += blockDim.x) {
        const u32 input = task % inputs;
        const u32 row = task / inputs;
        float value = 0.0f;
        if (row < rows) value = table.features[(u64)events[row] * table.width + features[input]];
        pass.memory[input * pass.pitch + row] = value;
    }
}

}  // namespace train

/// The training events of every member: how many there are with label 0 and with others, their weights in lanes, and how many
/// validate. A block has a member.
extern "C" __global__ void __launch_bounds__(256) models_train_prepare(
    const u32* member_words, u32 members, const float* labels, const float* weights, const u32* folds, const u32* groups,
    u32 events, u32 has_labels, u64 share, double* lanes, u32* counts) {
    using namespace train;
    const Table table = {nullptr, nullptr, labels, weights, folds, groups, events, 0u, 0u, has_labels};
    for (u32 at = blockIdx.x; at < members; at += gridDim.x) {
        const Member& member = reinterpret_cast<const Member*>(member_words)[at];
        for (u32 lane = threadIdx.x; lane < LANES; lane += blockDim.x) {
            double sums[2] = {0.0, 0.0};
            u32 numbers[3] = {0u, 0u, 0u};
            for (u64 event = lane; event < events; event += LANES) {
                const u32 use = use_of(table, member, (u32)event, share);
                if (use == VALIDATION) numbers[2] += 1u;
                if (use != TRAINING) continue;
                const u32 label = label_of(table, member, (u32)event) > 0.5f ? 1u : 0u;
                const double weight = weight_of(table, member, (u32)event);
                if (label) sums[1] += weight;
                else sums[0] += weight;
                if (label) numbers[1] += 1u;
                else numbers[0] += 1u;
            }
            const u64 place = (u64)at * LANES + lane;
            lanes[2u * place] = sums[0];
            lanes[2u * place + 1u] = sums[1];
            for (u32 i = 0u; i < 3u; ++i) counts[3u * place + i] = numbers[i];
        }
    }
}

/// The next batch of events of every member that is trained, in the order of its epoch. A block has a member.
extern "C" __global__ void __launch_bounds__(256) models_train_batch(
    const u32* active, u32 number, const u32* member_words, const float* weights, const u32* folds, const u32* groups,
    u32 events, u64 share, u32 batch, const u32* epochs, u32* next, u32* rows, u32* chosen) {
    using namespace train;
    __shared__ Choice choice;
    const Table table = {nullptr, nullptr, nullptr, weights, folds, groups, events, 0u, 0u, 0u};
    for (u32 index = blockIdx.x; index < number; index += gridDim.x) {
        const u32 at = active[index];
        const Member& member = reinterpret_cast<const Member*>(member_words)[at];
        const Permutation order = permutation_of(member, epochs[at], events);
        u64 place = next[at];
        __syncthreads();  // where to begin was read by all, before it is written
        const auto candidate = [&](u64 own, u32& event) {
            event = order.at((u32)own);
            return use_of(table, member, event, share) == TRAINING;
        };
        const u32 filled = choose(candidate, place, events, batch, chosen + (u64)at * batch, choice);
        if (threadIdx.x == 0u) {
            next[at] = (u32)place;
            rows[at] = filled;
        }
    }
}

/// The gradient and the loss of a quarter of the batch of every member that is trained. A block has a quarter.
extern "C" __global__ void __launch_bounds__(128, 3) models_train(
    const u32* layer_words, u32 layers, u32 parameters, u32 slope_places, u32 kept_places, u32 slope_pitch, u32 tile,
    const u32* active, u32 number, const u32* member_words, const u32* inputs_of_members, const float* all_parameters,
    const float* features, const u32* present, const float* labels, const float* weights, u32 events, u32 width,
    u32 present_words, u32 has_labels, u32 loss_kind, const double* scales, u32 batch, const u32* epochs,
    const u32* samples, const u32* rows, const u32* chosen, float* gradients, double* losses) {
    using namespace train;
    extern __shared__ float4 shared[];
    __shared__ double row_losses[32];
    float* memory = reinterpret_cast<float*>(shared);
    const Table table = {features, present, labels, weights, nullptr, nullptr, events, width, present_words, has_labels};
    const Layer* all_layers = reinterpret_cast<const Layer*>(layer_words);
    for (u32 index = blockIdx.x; index < number * QUARTERS; index += gridDim.x) {
        const u32 at = active[index / QUARTERS];
        const u32 quarter = index % QUARTERS;
        const Member& member = reinterpret_cast<const Member*>(member_words)[at];
        const Loss loss = {loss_kind, member.target};
        const Pass pass = {all_layers, layers, all_parameters + (u64)at * parameters, memory,
                           reinterpret_cast<unsigned char*>(memory + kept_places), tile, tile + 4u};
        const u32 all_rows = rows[at];
        if (all_rows == 0u) continue;  // its epoch is over
        const Part part = part_of(all_rows, quarter);
        float* gradient = gradients + ((u64)at * QUARTERS + quarter) * parameters;
        double sum = 0.0;
        if (part.from == part.to) {
            for (u32 i = threadIdx.x; i < parameters; i += blockDim.x) gradient[i] = 0.0f;
        }
        for (u32 first = part.from; first < part.to; first += tile) {
            const u32 here = min(tile, part.to - first);
            const u32* tile_events = chosen + (u64)at * batch + first;
            gather(pass, table, inputs_of_members + (u64)at * all_layers[0].inputs, tile_events, here);
            for (u32 i = 0u; i + 1u < layers; ++i) {
                if (all_layers[i].dropout > 0u) draw(pass, all_layers[i], member, epochs[at], samples[at] + first, here);
            }
            __syncthreads();  // inputs and draws are there to be read
            forward(pass, true);
            const Layer& last = all_layers[layers - 1u];
            float* slopes = memory + slope_places;
            float* others = slopes + slope_pitch;
            // Padding, and rows without an event, have no slope.
            for (u32 i = threadIdx.x; i < last.stride * pass.pitch; i += blockDim.x) {
                if (i / pass.pitch >= last.outputs || i % pass.pitch >= here) slopes[i] = 0.0f;
            }
            for (u32 row = threadIdx.x; row < here; row += blockDim.x) {
                const Target target = target_of(table, member, scales, at, tile_events[row]);
                const float* outputs = memory + last.out + row;
                const auto input = [&](u32 number) { return memory[number * pass.pitch + row]; };
                row_losses[row] = loss_of(loss, outputs, input, slopes + row, pass.pitch, last.outputs, target.label,
                                          target.weight / (double)all_rows, target.present);
                for (u32 output = 0u; output < last.outputs; ++output) {
                    const u32 place = output * pass.pitch;
                    slopes[place + row] *= slope_at(last.activation, last.slope, outputs[place]);
                }
            }
            __syncthreads();  // losses and slopes are there to be read
            if (threadIdx.x == 0u) {
                for (u32 row = 0u; row < here; ++row) sum += row_losses[row];
            }
            for (u32 i = layers; i-- > 0u;) {
                const Layer& layer = all_layers[i];
                add_gradient(pass, layer, pass.inputs_of(i), slopes, here, first == part.from, gradient);
                if (i > 0u) {
                    pass_back(pass, layer, all_layers[i - 1u], slopes, others);
                    float* swapped = slopes;
                    slopes = others;
                    others = swapped;
                }
                __syncthreads();  // slopes of the layer before are there; those of this one and its inputs are read
            }
        }
        if (threadIdx.x == 0u) losses[at * QUARTERS + quarter] = sum;
    }
}

/// A step of every member that is trained, from the gradients of its quarters. A block has a member.
extern "C" __global__ void __launch_bounds__(256) models_train_follow(
    const u32* active, u32 number, u32 parameters, double rate, double beta1, double beta2, double weight_decay, double decay,
    double largest_norm, float epsilon, u32 schedule, u32 has_largest_norm, const u32* totals, const u32* rows, u32 batch,
    u32 all_epochs, const float* gradients, const double* losses, float* all_parameters, float* means, float* squares,
    u64* steps, u32* samples, double* sums, double* norms, float* rates, u32* stops, u32* overflows) {
    using namespace train;
    __shared__ double lanes[LANES];
    __shared__ Step step;
    __shared__ float shortening;
    __shared__ u32 goes_on;
    const Adam adam = {rate, beta1, beta2, weight_decay, decay, largest_norm, epsilon, schedule, has_largest_norm};
    for (u32 index = blockIdx.x; index < number; index += gridDim.x) {
        const u32 at = active[index];
        const u32 here = rows[at];
        const float* q = gradients + (u64)at * QUARTERS * parameters;
        const double* l = losses + at * QUARTERS;
        const double loss = (l[0] + l[1]) + (l[2] + l[3]);
        if (here == 0u) continue;
        for (u32 lane = threadIdx.x; lane < LANES; lane += blockDim.x) {
            double sum = 0.0;
            for (u32 i = lane; i < parameters; i += LANES) {
                const float g = (q[i] + q[parameters + i]) + (q[2u * parameters + i] + q[3u * parameters + i]);
                sum += (double)g * (double)g;
            }
            lanes[lane] = sum;
        }
        __syncthreads();  // the sums of squares are there to be added
        double norm = 0.0;
        if (threadIdx.x == 0u) {
            for (u32 lane = 0u; lane < LANES; ++lane) norm += lanes[lane];
            norm = det::sqrt(norm);
            const bool is_usable = det::is_finite(loss) && norm <= LARGEST_NORM;
            goes_on = stops[at] == 0u && is_usable ? 1u : 0u;
            // The batch whose step cannot be made, counted from 1.
            if (stops[at] == 0u && !is_usable) stops[at] = samples[at] / batch + 1u;
        }
        if (threadIdx.x == 0u && goes_on) {
            const u64 batches = (totals[at] + batch - 1u) / batch;
            step = step_of(adam, steps[at], batches * all_epochs);
            shortening = has_largest_norm && norm > largest_norm ? (float)(largest_norm / (norm + 1e-6)) : 1.0f;
            steps[at] += 1u;
            sums[at] += loss * (double)here;
            norms[at] = norm;
            rates[at] = step.rate;
        }
        __syncthreads();  // the step is there to be read
        if (goes_on) {
            float* p = all_parameters + (u64)at * parameters;
            float* m = means + (u64)at * parameters;
            float* v = squares + (u64)at * parameters;
            for (u32 i = threadIdx.x; i < parameters; i += blockDim.x) {
                const float g =
                    ((q[i] + q[parameters + i]) + (q[2u * parameters + i] + q[3u * parameters + i])) * shortening;
                const float mean = __fmaf_rn(step.beta1, m[i], step.rest1 * g);
                const float square = __fmaf_rn(step.beta2, v[i], step.rest2 * g * g);
                const float root = __fsqrt_rn(square * step.correction2) + epsilon;
                const float direction = mean * step.correction1 / root;
                const float parameter = __fmaf_rn(-step.rate, direction, p[i] * step.kept);
                // All threads that write write the same. What is not finite stays so until the epoch is over.
                if (!det::is_finite((double)parameter)) overflows[at] = 1u;
                p[i] = parameter;
                m[i] = mean;
                v[i] = square;
            }
        }
        if (threadIdx.x == 0u) samples[at] += here;
    }
}

/// The losses of validation of every member that is trained, chunk after chunk of the table. A block has a chunk of a member.
extern "C" __global__ void __launch_bounds__(128, 3) models_train_validate(
    const u32* layer_words, u32 layers, u32 parameters, u32 slope_places, u32 kept_places, u32 tile, const u32* active,
    u32 number, const u32* member_words, const u32* inputs_of_members, const float* all_parameters, const float* features,
    const u32* present, const float* labels, const float* weights, const u32* folds, const u32* groups, u32 events, u32 width,
    u32 present_words, u32 has_labels, u32 loss_kind, const double* scales, u64 share, u32 chunks,
    double* losses, double* sums) {
    using namespace train;
    extern __shared__ float4 shared[];
    __shared__ double row_losses[32];
    __shared__ double row_weights[32];
    __shared__ u32 list[32];
    __shared__ Choice choice;
    float* memory = reinterpret_cast<float*>(shared);
    const Table table = {features, present, labels, weights, folds, groups, events, width, present_words, has_labels};
    const Layer* all_layers = reinterpret_cast<const Layer*>(layer_words);
    for (u32 index = blockIdx.x; index < number * chunks; index += gridDim.x) {
        const u32 at = active[index / chunks];
        const u32 chunk = index % chunks;
        const Member& member = reinterpret_cast<const Member*>(member_words)[at];
        const Loss loss = {loss_kind, member.target};
        const Pass pass = {all_layers, layers, all_parameters + (u64)at * parameters, memory,
                           reinterpret_cast<unsigned char*>(memory + kept_places), tile, tile + 4u};
        u64 place = (u64)chunk * EVENTS_A_CHUNK;
        const u64 end = min(place + EVENTS_A_CHUNK, (u64)events);
        double sum = 0.0;
        double weight_sum = 0.0;
        while (place < end) {
            const auto candidate = [&](u64 own, u32& event) {
                event = (u32)own;
                return use_of(table, member, event, share) == VALIDATION;
            };
            const u32 here = choose(candidate, place, end, tile, list, choice);
            gather(pass, table, inputs_of_members + (u64)at * all_layers[0].inputs, list, here);
            __syncthreads();  // inputs are there to be read
            forward(pass, false);
            const Layer& last = all_layers[layers - 1u];
            for (u32 row = threadIdx.x; row < here; row += blockDim.x) {
                const Target target = target_of(table, member, scales, at, list[row]);
                const auto input = [&](u32 number) { return memory[number * pass.pitch + row]; };
                row_weights[row] = target.weight;
                row_losses[row] = loss_of(loss, memory + last.out + row, input, memory + slope_places + row, pass.pitch,
                                          last.outputs, target.label, target.weight, target.present);
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

/// Copies the parameters of some members from one place to another: to keep the best, or to go back to them.
extern "C" __global__ void __launch_bounds__(256) models_train_keep(
    const u32* list, u32 number, u32 parameters, const float* from, float* to) {
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < (u64)number * parameters; i += (u64)gridDim.x * blockDim.x) {
        const u64 place = (u64)list[i / parameters] * parameters + i % parameters;
        to[place] = from[place];
    }
}
