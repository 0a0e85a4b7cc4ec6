#!/usr/bin/env python3
"""The peers of the benchmarks `models/*`.

  models.py PEER --events N --batch N --threads N [--epochs N] [--members N]
      PEER: jax-train, jax-train-host-shuffle, torch-train (models/classifier-*), jax-vmap, jax-loop (models/population-50), onnxruntime,
      numpy (models/inference). Waits for lines on standard input; for each it works once and prints seconds and what it found, as JSON

The network: 6 inputs, three layers of 64 with ReLU and, in training, 5 % dropout, one logit. Imports, compilation and one run for
warming up are not timed. Threads are as many CPUs, the last of those that are allowed.

Training: so many epochs from new first parameters (He) each time, by Adam at 1e-3 with binary cross-entropy, shuffled anew in each; seconds
are those of an epoch. Events that do not fill a batch are left out. jax-train shuffles by jax.random.permutation, the others by NumPy.
Members of a population see all but a fifth of the events, member m not the fold m % 5; jax-loop trains them one after the other, in as many
processes as threads. Found is the loss of the last epoch: the mean over batches, before their updates and with dropout, and over members.
Inference: scores of all events, so many a batch, by a network without chance. Found are their mean and the mean of their squares.
"""
import argparse, contextlib, json, multiprocessing, os, sys, time

WIDTHS, DROPOUT = [6, 64, 64, 64, 1], 0.05


def events(number):
    """Inputs and labels that can be learned in part."""
    import numpy as np
    rng = np.random.default_rng(0)
    x = rng.normal(size=(number, 6)).astype(np.float32)
    return x, (rng.random(number) < 1 / (1 + np.exp(-(x[:, 0] * x[:, 1] + np.sin(x[:, 2]))))).astype(np.float32)


def shuffled(number, member, batch, rng):
    """The events of each step; all events if there is no member."""
    import numpy as np
    seen = np.arange(number, dtype=np.int32)
    seen = rng.permutation(seen if member is None else seen[seen % 5 != member % 5])
    return seen[:len(seen) // batch * batch].reshape(-1, batch)


def jax_parts():
    """First parameters of a key, their optimiser's state, and an epoch."""
    import jax, jax.numpy as jnp, optax
    optimiser = optax.adam(1e-3)

    def first(key):
        keys = jax.random.split(key, len(WIDTHS) - 1)
        return [(jax.random.normal(k, (n, m)) * (2 / n) ** 0.5, jnp.zeros(m)) for k, n, m in zip(keys, WIDTHS, WIDTHS[1:])]

    def loss(parameters, key, x, y):
        for layer, (weights, bias) in enumerate(parameters[:-1]):
            x = jax.nn.relu(x @ weights + bias)
            x = jnp.where(jax.random.bernoulli(jax.random.fold_in(key, layer), 1 - DROPOUT, x.shape), x / (1 - DROPOUT), 0)
        weights, bias = parameters[-1]
        return optax.sigmoid_binary_cross_entropy((x @ weights + bias)[:, 0], y).mean()

    def epoch(parameters, state, key, order, x, y):
        def step(carry, now):
            (parameters, state), (number, rows) = carry, now
            value, gradient = jax.value_and_grad(loss)(parameters, jax.random.fold_in(key, number), x[rows], y[rows])
            updates, state = optimiser.update(gradient, state)
            return (optax.apply_updates(parameters, updates), state), value

        (parameters, state), losses = jax.lax.scan(step, (parameters, state), (jnp.arange(len(order)), order))
        return parameters, state, losses.mean()
    return first, optimiser.init, epoch


def jax_train(arguments, members=(None,), host_shuffle=True):
    """Members one after the other, by the same compiled epoch."""
    import jax, jax.numpy as jnp, numpy as np
    first, begin, epoch = map(jax.jit, jax_parts())
    x, y = map(jnp.asarray, events(arguments.events))
    # Other processes have other members.
    seed, number, rng = members[0] or 0, [0], np.random.default_rng([1, members[0] or 0])
    used = arguments.events // arguments.batch * arguments.batch
    in_jax = jax.jit(lambda key: jax.random.permutation(key, arguments.events)[:used].reshape(-1, arguments.batch))

    def job():
        number[0] += 1
        keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), number[0]), (len(members), arguments.epochs))
        parameters, losses = jax.block_until_ready([first(own[0]) for own in keys]), []
        start = time.perf_counter()
        for member, own, now in zip(members, keys, parameters):
            state = begin(now)
            for key in own:
                order = shuffled(arguments.events, member, arguments.batch, rng) if host_shuffle else in_jax(key)
                now, state, loss = epoch(now, state, key, order, x, y)
            losses.append(loss)
        loss = float(np.mean(losses))
        return {"seconds": (time.perf_counter() - start) / arguments.epochs, "loss": loss}
    return job


def jax_vmap(arguments):
    """All members at once."""
    import jax, jax.numpy as jnp, numpy as np
    axes = (0, 0, (0, 0, 0, 0, None, None))
    first, begin, epoch = (jax.jit(jax.vmap(part, in_axes=of)) for part, of in zip(jax_parts(), axes))
    x, y = map(jnp.asarray, events(arguments.events))
    number, rng = [0], np.random.default_rng(1)

    def job():
        number[0] += 1
        keys = jax.random.split(jax.random.key(number[0]), (arguments.epochs, arguments.members))
        now = jax.block_until_ready(first(keys[0]))
        start = time.perf_counter()
        state = begin(now)
        for each in keys:
            order = np.stack([shuffled(arguments.events, member, arguments.batch, rng) for member in range(arguments.members)])
            now, state, loss = epoch(now, state, each, order, x, y)
        loss = float(loss.mean())
        return {"seconds": (time.perf_counter() - start) / arguments.epochs, "loss": loss}
    return job


def part_of_loop(arguments, members, cpu, pipe):
    """A process of jax-loop, on a CPU of its own."""
    os.sched_setaffinity(0, {cpu})
    job = jax_train(arguments, members)
    with contextlib.suppress(EOFError):
        while pipe.recv():
            pipe.send(job())


def jax_loop(arguments):
    cpus, spawn = sorted(os.sched_getaffinity(0)), multiprocessing.get_context("spawn")
    parts = [range(arguments.members)[part::len(cpus)] for part in range(len(cpus))]
    pipes = []
    for part, cpu in zip(parts, cpus):
        ours, theirs = spawn.Pipe()
        spawn.Process(target=part_of_loop, args=(arguments, part, cpu, theirs), daemon=True).start()
        pipes.append(ours)

    def job():
        start = time.perf_counter()
        for pipe in pipes:
            pipe.send(True)
        losses = [pipe.recv()["loss"] for pipe in pipes]
        seconds = (time.perf_counter() - start) / arguments.epochs
        return {"seconds": seconds, "loss": sum(loss * len(part) for loss, part in zip(losses, parts)) / arguments.members}
    return job


def torch_train(arguments):
    import numpy as np, torch
    from torch import nn
    torch.set_num_threads(arguments.threads)
    x, y = map(torch.from_numpy, events(arguments.events))
    criterion, rng = nn.BCEWithLogitsLoss(), np.random.default_rng(1)

    def job():
        hidden = [[nn.Linear(n, m), nn.ReLU(), nn.Dropout(DROPOUT)] for n, m in zip(WIDTHS, WIDTHS[1:-1])]
        network = nn.Sequential(*sum(hidden, []), nn.Linear(*WIDTHS[-2:]))
        for layer in network[::3]:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
        start = time.perf_counter()
        for _ in range(arguments.epochs):
            losses = []
            for rows in torch.from_numpy(shuffled(arguments.events, None, arguments.batch, rng)):
                optimiser.zero_grad(set_to_none=True)
                loss = criterion(network(x[rows]).squeeze(1), y[rows])
                loss.backward()
                optimiser.step()
                losses.append(loss.detach())
        loss = float(torch.stack(losses).mean())
        return {"seconds": (time.perf_counter() - start) / arguments.epochs, "loss": loss}
    return job


def network_and_inputs(number):
    """Weights, each of a layer (inputs x outputs) and its biases, and inputs: formulas, so that scores are the same everywhere."""
    import numpy as np
    row, column = np.arange(number)[:, None], np.arange(6)
    x, at, layers = ((row * 7919 + column * 104729 + 13) % 2003 - 1001) / 512, 0, []
    for n, m in zip(WIDTHS, WIDTHS[1:]):
        k = np.arange(at, at + (n + 1) * m)
        values = ((k * k * 48271 + 11) % 2003 - 1001).astype(np.float32) * np.float32(0.375 / 1024)
        layers.append((values[:n * m].reshape(n, m), values[n * m:]))
        at += len(k)
    return layers, x.astype(np.float32)


def infer(arguments, scores):
    import numpy as np
    layers, x = network_and_inputs(arguments.events)
    scores = scores(layers, arguments.threads)

    def job():
        start = time.perf_counter()
        found = np.concatenate([scores(x[at:at + arguments.batch]) for at in range(0, len(x), arguments.batch)])
        seconds, found = time.perf_counter() - start, found.astype(np.float64)
        return {"seconds": seconds, "mean": float(found.mean()), "square": float((found**2).mean())}
    return job


def onnxruntime_scores(layers, threads):
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    nodes, values, last = [], [], "x"
    for layer, pair in enumerate(layers):
        values += [numpy_helper.from_array(array, f"{name}{layer}") for name, array in zip("wb", pair)]
        nodes += [helper.make_node("Gemm", [last, f"w{layer}", f"b{layer}"], [f"sums{layer}"]),
                  helper.make_node("Relu" if layer < len(layers) - 1 else "Sigmoid", [f"sums{layer}"], [f"x{layer}"])]
        last = f"x{layer}"
    inputs, outputs = ([helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])] for name, width in (("x", 6), (last, 1)))
    model = helper.make_model(helper.make_graph(nodes, "network", inputs, outputs, values), ir_version=9,
                              opset_imports=[helper.make_opsetid("", 17)])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]


def numpy_scores(layers, threads):
    import numpy as np

    def scores(x):
        for weights, bias in layers[:-1]:
            x = np.maximum(x @ weights + bias, 0)
        weights, bias = layers[-1]
        return 1 / (1 + np.exp(-(x @ weights + bias)))
    return scores


PEERS = {"jax-train": lambda arguments: jax_train(arguments, host_shuffle=False), "jax-train-host-shuffle": jax_train,
         "torch-train": torch_train, "jax-vmap": jax_vmap, "jax-loop": jax_loop,
         "onnxruntime": lambda arguments: infer(arguments, onnxruntime_scores),
         "numpy": lambda arguments: infer(arguments, numpy_scores)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--members", type=int, default=50)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-arguments.threads:])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(arguments.threads)
    os.environ["JAX_PLATFORMS"] = "cpu"
    job = PEERS[arguments.peer](arguments)
    job()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(job()), flush=True)


if __name__ == "__main__":
    main()
