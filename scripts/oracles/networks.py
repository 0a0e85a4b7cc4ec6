#!/usr/bin/env python3
"""Golden numbers for the training of dense networks: ten networks trained for 50 steps with JAX, printed as Rust.

    python3 scripts/oracles/networks.py        # CPU, half a minute

Data, first parameters and batches are formulas (`inputs` and what follows it), the losses too; gradients are jax.grad's, Adam is
written out below and agrees with optax's to 1e-12. Everything in double precision. Printed of each case: the loss of the batch before the
update at steps 0, 9 and 49, the sum of all parameters after 50 steps, the sum of their squares, and parameters 0, 7, 50 and the last.

In comments, so that tolerances have a reason: how far single precision ends from double (largest relative differences in the printed
numbers and in the losses among them, largest absolute difference in any parameter; the worst of three orders of the rows within a
batch), how far double precision is from itself in another order, which must be below 1e-10, and how many steps were clipped. Sums of
parameters are taken in double.

Needs jax, numpy, optax (tried: 0.10.2, 2.4.6, 0.2.8). Shares no code with Trawl.
"""

import functools
import math
import os
import platform

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np
import optax

ROWS, INPUTS, BATCH, STEPS = 256, 6, 64, 50
PRINTED_STEPS, PRINTED_PARAMETERS = (0, 9, 49), (0, 7, 50, -1)
LABELS = [f"losses[{k}]" for k in range(3)] + ["sum", "squares"] + [f"parameters[{k}]" for k in range(4)]
ORDERS = [np.arange(BATCH), np.arange(BATCH)[::-1], np.arange(BATCH) * 5 % BATCH]

row, column = np.arange(ROWS), np.arange(INPUTS)
inputs = ((row[:, None] * 7919 + column * 104729 + 13) % 2003 - 1001) / 512
label = np.where(row * 31 % 7 < 3, 1.0, 0.0)
weight = 0.5 + row * 17 % 8 / 8
mask = np.where((row[:, None] + column) % 3 != 0, 1.0, 0.0)


def initial(number):
    return ((np.arange(number) * 48271 + 11) % 2003 - 1001) / 1024 * 0.25


# ---- Networks. Where both sides of a piecewise function meet, its derivative is that of the left side.


def leaky(slope):
    return lambda z: jnp.where(z > 0, z, slope * z)


ACTIVATIONS = {
    "relu": lambda z: jnp.where(z > 0, z, 0),
    "leaky 0.01": leaky(0.01),
    "leaky 0.2": leaky(0.2),
    "elu": lambda z: jnp.where(z > 0, z, jnp.expm1(jnp.where(z > 0, 0, z))),
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "softplus": lambda z: jnp.logaddexp(z, 0),
    "identity": lambda z: z,
}

# Each: outputs, inputs, label, mask of a batch to the losses of its rows, before their weights.
LOSSES = {
    "bce": lambda z, x, y, m: jnp.logaddexp(z[:, 0], 0) - y * z[:, 0],
    "mse": lambda z, x, y, m: jnp.mean((z - x) ** 2, axis=1),
    "masked mse": lambda z, x, y, m: jnp.sum(m * (z - x) ** 2, axis=1) / jnp.sum(m, axis=1),
    "fixed target": lambda z, x, y, m: jnp.mean((z - 2) ** 2, axis=1),
    "likelihood ratio": lambda z, x, y, m: jnp.where(y == 0, jnp.exp(z[:, 0] / 2), jnp.exp(-z[:, 0] / 2)),
}


class Case:
    def __init__(self, widths, hidden, loss, output="identity", biases=True, lr=1e-2, schedule="constant", decay=0.0, clip=None,
                 b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.0):
        self.widths, self.hidden, self.output, self.loss, self.biases = widths, hidden, output, loss, biases
        self.lr, self.schedule, self.decay, self.clip = lr, schedule, decay, clip
        self.b1, self.b2, self.eps, self.weight_decay = b1, b2, eps, weight_decay

    def name(self):
        words = ["-".join(map(str, self.widths)), self.hidden]
        words += [f"output {self.output}"] * (self.output != "identity") + ["no biases"] * (not self.biases) + [self.loss]
        words += [f"lr {self.lr}"] * (self.lr != 1e-2)
        words += [self.schedule + f" {self.decay}" * (self.decay != 0)] * (self.schedule != "constant")
        words += [f"clip {self.clip}"] * (self.clip is not None) + [f"wd {self.weight_decay}"] * (self.weight_decay != 0)
        words += [f"b1 {self.b1} b2 {self.b2} eps {self.eps}"] * ((self.b1, self.b2, self.eps) != (0.9, 0.999, 1e-8))
        return ", ".join(words)

    def parameters(self):
        return sum(n * m + m * self.biases for n, m in zip(self.widths, self.widths[1:]))

    def outputs(self, p, x):
        at, layers = 0, len(self.widths) - 1
        for layer in range(layers):
            n, m = self.widths[layer : layer + 2]
            x = x @ p[at : at + n * m].reshape(n, m)
            at += n * m
            if self.biases:
                x = x + p[at : at + m]
                at += m
            x = ACTIVATIONS[self.hidden if layer < layers - 1 else self.output](x)
        return x

    def mean_loss(self, p, x, y, w, m):
        return jnp.sum(w * LOSSES[self.loss](self.outputs(p, x), x, y, m)) / len(x)

    def rate(self, step):
        if self.schedule == "cosine":
            return 0.5 * self.lr * (1 + math.cos(math.pi * step / STEPS))
        return self.lr / (1 + self.decay * step)


CASES = [
    Case([6, 16, 8, 1], "relu", "bce"),
    Case([6, 16, 8, 1], "leaky 0.2", "likelihood ratio", lr=2e-3),
    Case([6, 16, 3, 16, 6], "elu", "mse"),
    Case([6, 16, 3, 16, 6], "tanh", "masked mse"),
    Case([6, 16, 8, 5], "softplus", "fixed target", biases=False, weight_decay=0.01),
    Case([6, 16, 8, 1], "sigmoid", "bce", schedule="cosine", clip=0.5, b1=0.8, b2=0.99, eps=1e-6),
    Case([6, 13, 7, 1], "leaky 0.01", "bce", schedule="inverse time", decay=0.05),
    Case([6, 64, 64, 64, 1], "relu", "bce", lr=1e-3),
    Case([6, 16, 4], "elu", "fixed target", output="sigmoid"),
    # Clips (the sixth never does), and decays biases (the fifth has none).
    Case([6, 16, 8, 5], "tanh", "fixed target", clip=2.0, weight_decay=0.1),
]


# ---- Training


def batches(order, precision):
    for step in range(STEPS):
        rows = (step * BATCH + order) % ROWS
        yield step, [np.asarray(values[rows], precision) for values in (inputs, label, weight, mask)]


@functools.cache
def gradient_of(case):
    """Parameters and a batch to the loss, the gradient after clipping, and whether it was clipped."""
    both = jax.jit(jax.value_and_grad(case.mean_loss))

    def clipped(p, batch):
        loss, g = map(np.asarray, both(p, *batch))
        if case.clip is None:
            return loss, g, False
        factor = case.clip / (np.sqrt(np.sum(g * g)) + 1e-6)
        return loss, g * min(1, factor), bool(factor < 1)

    return clipped


def train(case, precision=np.float64, order=ORDERS[0]):
    """The losses before the updates, the parameters after them, and the number of clipped steps."""
    with jax.enable_x64(precision == np.float64):
        gradient = gradient_of(case)
        p = np.asarray(initial(case.parameters()), precision)
        m, v = np.zeros_like(p), np.zeros_like(p)
        losses, clipped = [], 0
        for step, batch in batches(order, precision):
            loss, g, hit = gradient(p, batch)
            losses.append(float(loss))
            clipped += hit
            t, lr = step + 1, case.rate(step)
            p = p * (1 - lr * case.weight_decay)
            m = case.b1 * m + (1 - case.b1) * g
            v = case.b2 * v + (1 - case.b2) * g**2
            p = p - lr * (m / (1 - case.b1**t)) / (np.sqrt(v / (1 - case.b2**t)) + case.eps)
        assert p.dtype == m.dtype == v.dtype == g.dtype == loss.dtype == precision
        return losses, p.astype(np.float64), clipped


def train_with_optax(case):
    """The same by optax, but for clipping (which has no 1e-6 there) and the inverse-time schedule (which it does not have)."""
    with jax.enable_x64(True):
        if case.schedule == "cosine":
            rate = optax.cosine_decay_schedule(case.lr, STEPS)
        else:
            rate = case.rate if case.schedule != "constant" else case.lr
        rule = optax.adamw(rate, case.b1, case.b2, case.eps, weight_decay=case.weight_decay)
        gradient = gradient_of(case)
        p = jnp.asarray(initial(case.parameters()), np.float64)
        state = rule.init(p)
        for _, batch in batches(ORDERS[0], np.float64):
            updates, state = rule.update(gradient(p, batch)[1], state, p)
            p = optax.apply_updates(p, updates)
        assert p.dtype == np.float64
        return np.asarray(p)


def printed(losses, p):
    return np.array([losses[s] for s in PRINTED_STEPS] + [p.sum(), (p**2).sum()] + [p[k] for k in PRINTED_PARAMETERS])


def difference(numbers, reference):
    """The largest relative difference, and the index of its number."""
    relative = np.abs(numbers - reference) / np.abs(reference)
    return float(relative.max()), int(relative.argmax())


def main():
    for values in (inputs, label, weight, initial(max(case.parameters() for case in CASES))):
        assert np.array_equal(values, values.astype(np.float32))
    worst = max(np.max(np.abs(train(case)[1] - train_with_optax(case))) for case in CASES)
    assert worst < 1e-12, worst

    print("// Generated by scripts/oracles/networks.py:")
    print(f"// jax {jax.__version__}, numpy {np.__version__}, optax {optax.__version__}, Python {platform.python_version()}, CPU.")
    print(f"// Parameters after {STEPS} steps agree with optax's to {worst:.0e}.")
    print(f"const TRAINED: [Trained; {len(CASES)}] = [")
    for case in CASES:
        losses, p, clipped = train(case)
        numbers = printed(losses, p)
        double = max(difference(printed(*train(case, order=order)[:2]), numbers) for order in ORDERS[1:])
        single_runs = [train(case, np.float32, order)[:2] for order in ORDERS]
        single = max(difference(printed(*run), numbers) for run in single_runs)
        single_losses = max(difference(printed(*run)[:3], numbers[:3]) for run in single_runs)
        absolute = max(float(np.max(np.abs(run[1] - p))) for run in single_runs)
        assert double[0] < 1e-10, double
        text = [f"{number:.9e}" for number in numbers]
        print(f"    // float32: {single[0]:.1e} in {LABELS[single[1]]}, losses {single_losses[0]:.1e}, any parameter {absolute:.1e} absolute.")
        print(f"    // float64 in another order: {double[0]:.0e}." + f" Clipped: {clipped} of {STEPS} steps." * (case.clip is not None))
        print("    Trained {")
        print(f'        case: "{case.name()}",')
        print(f"        losses: [{', '.join(text[:3])}],")
        print(f"        sum: {text[3]},")
        print(f"        squares: {text[4]},")
        print(f"        parameters: [{', '.join(text[5:])}],")
        print("    },")
    print("];")


if __name__ == "__main__":
    main()
