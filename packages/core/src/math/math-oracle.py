"""Writes math.golden.json: arguments and the correctly rounded answers, from Python's decimal arithmetic at 80 digits.

Usage: python3 math-oracle.py > math.golden.json
"""
import json
import math
import random
from decimal import Decimal as D, getcontext

getcontext().prec = 80
random.seed(20260101)


def arctan_inverse(n):
    total = term = D(1) / n
    k, square = 1, D(n) * n
    while abs(term) > D(10) ** -500:
        k += 2
        term = -term / square
        total += term / k
    return total


def high_precision_pi():
    getcontext().prec = 460
    value = 4 * (4 * arctan_inverse(5) - arctan_inverse(239))
    getcontext().prec = 80
    return value


PI = high_precision_pi()


def sin_taylor(x):
    total = term = x
    k = 1
    while abs(term) > abs(total) * D(10) ** -78:
        k += 2
        term = -term * x * x / ((k - 1) * k)
        total += term
        if total == 0:
            break
    return total


def cos_taylor(x):
    total = term = D(1)
    k = 0
    while abs(term) > D(10) ** -82:
        k += 2
        term = -term * x * x / ((k - 1) * k)
        total += term
    return total


def reduced(x):
    getcontext().prec = 460
    exact = D(x)
    n = (exact / (PI / 2)).to_integral_value()
    rest = exact - n * PI / 2
    getcontext().prec = 80
    return int(n) % 4, +rest


def sin(x):
    q, r = reduced(x)
    value = [sin_taylor, cos_taylor, sin_taylor, cos_taylor][q](r)
    return value if q < 2 else -value


def cos(x):
    q, r = reduced(x)
    value = [cos_taylor, sin_taylor, cos_taylor, sin_taylor][q](r)
    return -value if q in (1, 2) else value


def atan(x):
    x = D(x)
    if x < 0:
        return -atan(-x)
    if x > 1:
        return +PI / 2 - atan(1 / x)
    # Halved three times: atan(x) = 2·atan(x / (1 + sqrt(1 + x²))).
    for _ in range(3):
        x = x / (1 + (1 + x * x).sqrt())
    total = term = x
    k = 1
    while abs(term) > D(10) ** -80 * abs(total):
        k += 2
        term = -term * x * x
        total += term / k
    return 8 * total


def asin(x):
    x = D(x)
    return (+PI / 2).copy_sign(x) if abs(x) == 1 else atan(x / ((1 - x) * (1 + x)).sqrt())


def atan2(y, x):
    a = atan(D(y) / D(x))
    return a if x > 0 else a + PI if y > 0 else a - PI


def expm1(x):
    x = D(x)
    if abs(x) > D("0.001"):
        return x.exp() - 1
    total = term = x
    k = 1
    while abs(term) > abs(total) * D(10) ** -80:
        k += 1
        term = term * x / k
        total += term
    return total


def log1p(x):
    x = D(x)
    if abs(x) > D("0.001"):
        return (1 + x).ln()
    total = term = x
    k = 1
    while abs(term) > abs(total) * D(10) ** -80:
        k += 1
        term = -term * x
        total += term / k
    return total


def uniform(low, high):
    return lambda: random.uniform(low, high)


def spread(low, high):
    """Log-uniform in magnitude, either sign."""
    return lambda: random.choice([-1, 1]) * 10 ** random.uniform(low, high)


def positive(low, high):
    return lambda: 10 ** random.uniform(low, high)


def d(f):
    return lambda *a: f(*[D(v) for v in a])


E = lambda x: D(x).exp()
cases = {
    "exp": ([uniform(-708, 709), uniform(-1, 1), uniform(-745, -708)], E),
    "expm1": ([uniform(-40, 709), uniform(-1, 1), spread(-12, 0)], expm1),
    "log": ([positive(-307, 307), uniform(0.5, 2), positive(-322, -308)], lambda x: D(x).ln()),
    "log1p": ([positive(-20, 300), uniform(-0.999, 2), spread(-12, -1)], log1p),
    "log2": ([positive(-307, 307), uniform(0.5, 2)], lambda x: D(x).ln() / D(2).ln()),
    "log10": ([positive(-307, 307), uniform(0.5, 2)], lambda x: D(x).log10()),
    "sin": ([uniform(-10, 10), spread(-8, 6), spread(6, 300)], sin),
    "cos": ([uniform(-10, 10), spread(-8, 6), spread(6, 300)], cos),
    "tan": ([uniform(-10, 10), spread(-8, 6), spread(6, 300)], lambda x: sin(x) / cos(x)),
    "asin": ([uniform(-1, 1), spread(-8, 0)], asin),
    "acos": ([uniform(-1, 1), spread(-8, 0)], lambda x: PI / 2 - asin(x)),
    "atan": ([uniform(-5, 5), spread(-8, 20)], atan),
    "sinh": ([uniform(-30, 30), spread(-8, 2)], lambda x: (E(x) - E(-x)) / 2 if abs(x) > 1e-9 else D(x)),
    "cosh": ([uniform(-30, 30), spread(-8, 2)], lambda x: (E(x) + E(-x)) / 2),
    "tanh": ([uniform(-3, 3), spread(-8, 2)], lambda x: (E(x) - E(-x)) / (E(x) + E(-x)) if abs(x) > 1e-9 else D(x)),
    "asinh": ([uniform(-3, 3), spread(-7, 30)], lambda x: ((D(x) + (D(x) * D(x) + 1).sqrt()).ln() if x > 0 else -(-D(x) + (D(x) * D(x) + 1).sqrt()).ln())),
    "acosh": ([uniform(1, 3), positive(0, 30)], lambda x: (D(x) + (D(x) * D(x) - 1).sqrt()).ln()),
    "atanh": ([uniform(-0.999, 0.999), spread(-7, -1)], lambda x: ((1 + D(x)) / (1 - D(x))).ln() / 2),
    "cbrt": ([spread(-307, 307), uniform(-8, 8), spread(-322, -308)], lambda x: (abs(D(x)).ln() / 3).exp().copy_sign(D(x))),
}
binary = {
    "pow": ([(positive(-3, 3), uniform(-90, 90)), (uniform(0.9, 1.1), spread(0, 3)), (positive(-300, 300), uniform(-1, 1)), (uniform(0, 5), lambda: float(random.randint(-20, 20)))],
            lambda x, y: (D(x).ln() * D(y)).exp()),
    "atan2": ([(spread(-3, 3), spread(-3, 3)), (spread(-8, 20), spread(-8, 20))], atan2),
    "hypot": ([(spread(-3, 3), spread(-3, 3)), (spread(-300, 300), spread(-300, 300)), (spread(-322, -306), spread(-322, -306))],
              lambda x, y: (D(x) * D(x) + D(y) * D(y)).sqrt()),
}
golden = {}
for name, (draws, f) in cases.items():
    golden[name] = [[x, float(f(x))] for draw in draws for x in [draw() for _ in range(70)]]
for name, (draws, f) in binary.items():
    golden[name] = [[x, y, float(f(x, y))] for dx, dy in draws for x, y in [(dx(), dy()) for _ in range(70)]]
assert all(math.isfinite(v) for rows in golden.values() for row in rows for v in row)
print("{")
print(",\n".join(f'"{name}": {json.dumps(rows, separators=(",", ":"))}' for name, rows in golden.items()))
print("}")
