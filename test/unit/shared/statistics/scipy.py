"""Writes scipy.json beside it: what SciPy (and mpmath, beyond the range of doubles) says to fixed inputs.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 numpy==2.4.6 mpmath==1.4.1
    venv/bin/python test/unit/shared/statistics/scipy.py && npx biome check --write test/unit/shared/statistics/scipy.json
"""
import json
import pathlib
import sys

# Not the folder of this file, whose name would hide the package.
sys.path.pop(0)
import mpmath
import numpy as np
from scipy import optimize, special, stats
from scipy.spatial.distance import chebyshev, jensenshannon

mpmath.mp.dps = 50


def log_chi_squared_survival(x, df):
    return float(mpmath.log(mpmath.gammainc(mpmath.mpf(df) / 2, mpmath.mpf(x) / 2, regularized=True)))


def log_fisher_survival(x, numerator, denominator):
    point = mpmath.mpf(denominator) / (denominator + mpmath.mpf(numerator) * mpmath.mpf(x))
    return float(mpmath.log(mpmath.betainc(mpmath.mpf(denominator) / 2, mpmath.mpf(numerator) / 2, 0, point, regularized=True)))


def integers(seed, count, low, high):
    """A linear congruential generator (Numerical Recipes' constants), the same on every machine and in every version."""
    state, drawn = seed, []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        drawn.append(low + (state >> 8) * (high - low + 1) // 2**24)
    return drawn


def psi(reference, recent):
    r, s = np.array(reference, float), np.array(recent, float)
    used = (r > 0) | (s > 0)
    p, q = np.maximum(r[used], 0.5) / r.sum(), np.maximum(s[used], 0.5) / s.sum()
    return float(special.rel_entr(q, p).sum() + special.rel_entr(p, q).sum())


def distances(reference, recent):
    """Of counts: L-infinity, and p-values and thresholds at LEVEL."""
    r, s = np.array(reference, float), np.array(recent, float)
    used = (r > 0) | (s > 0)
    n, m, df = s.sum(), r.sum(), int(used.sum()) - 1
    size = n * m / (n + m)
    nats = jensenshannon(r, s) ** 2
    l_infinity = chebyshev(r / m, s / n)
    share = ((r + s) / (n + m))[used]
    sd = np.sqrt(share * (1 - share) / size)[:1 if df == 1 else None]
    union = lambda t: 2 * stats.norm.sf(t / sd).sum()
    return {
        "lInfinity": float(l_infinity),
        "psiSignificance": [float(stats.chi2.sf(size * psi(r, s), df)), float(stats.chi2.isf(LEVEL, df) / size)],
        "jensenShannonSignificance": [float(stats.chi2.sf(8 * size * nats, df)),
                                      float(np.sqrt(stats.chi2.isf(LEVEL, df) / (8 * size * np.log(2))))],
        "lInfinitySignificance": [min(1.0, float(union(l_infinity))),
                                  float(optimize.brentq(lambda t: np.log(union(t) / LEVEL), 1e-9, 12 * sd.max(), xtol=1e-15, rtol=1e-14))],
    }


def trend(reference, recent):
    """Likelihood ratio of a logistic regression on mean ranks, by its score equations."""
    r, s = np.array(reference, float), np.array(recent, float)
    rank = (np.cumsum(r + s) - (r + s) / 2) / (r + s).sum() - 0.5
    residual = lambda at: s - (r + s) * special.expit(at[0] + at[1] * rank)
    start = [np.log(s.sum() / r.sum()), 0.0]
    fitted = optimize.root(lambda at: [residual(at).sum(), (residual(at) * rank).sum()], start, tol=1e-14).x
    log_likelihood = lambda at: (s * special.log_expit(at[0] + at[1] * rank) + r * special.log_expit(-at[0] - at[1] * rank)).sum()
    return float(2 * (log_likelihood(fitted) - log_likelihood(start)))


def wasserstein_significance(reference, recent):
    """p-value, and threshold at LEVEL in standard deviations of the reference."""
    values, n, m = np.sort(np.concatenate([reference, recent])), len(recent), len(reference)
    share = np.arange(1, n + m) / (n + m)
    sd = np.std(values)
    rest = np.sqrt(max(0, (np.sum(np.sqrt(share * (1 - share)) * np.diff(values)) / sd) ** 2 - 1))
    limit = lambda z: float(stats.foldnorm.mean(z / rest, scale=rest))
    found = np.sqrt(n * m / (n + m)) * stats.wasserstein_distance(reference, recent) / sd
    z = optimize.brentq(lambda z: limit(z) - found, 0, found, xtol=1e-15, rtol=1e-14) if found > limit(0) else 0.0
    threshold = limit(stats.norm.isf(LEVEL / 2)) * sd / np.sqrt(n * m / (n + m)) / np.std(reference)
    return [float(2 * stats.norm.sf(z)), float(threshold)]


def overdispersion(blocks):
    """Straight from the formula: all bins filled, no empty block."""
    counts = np.array(blocks, float)
    x2 = stats.chi2_contingency(counts, correction=False).statistic
    m, bins = counts.shape
    return max(1.0, float((x2 + 20 * (bins - 1)) / ((m - 1 + 20) * (bins - 1))))


SURVIVAL = [(0.001, 1), (0.5, 1), (3.84, 1), (30, 1), (220, 1), (1400, 1), (0.01, 2), (5, 2), (230, 2), (1, 3), (7.8, 3),
            (4, 9), (9, 9), (16.9, 9), (300, 9), (1500, 9), (20, 40), (41, 40), (55, 40), (400, 40), (200, 255), (255, 255),
            (330, 255), (900, 255), (990, 1000), (1100, 1000), (3.3, 2.5), (80, 2.5), (5000, 5000), (5600, 5000)]
SAMPLES = [(integers(1, 40, 0, 9), integers(2, 30, 0, 9)), (integers(3, 500, -50, 50), integers(4, 300, -30, 70)),
           (integers(5, 2000, 0, 400), integers(6, 1500, 100, 500)), (integers(7, 5, 1, 3), integers(8, 900, 1, 300)),
           ([4] * 20, [4] * 10 + [7] * 10), ([-3, -1, 0, 0, 2], [-3, -1, 0, 0, 2])]
COUNTS = [([50, 50], [60, 40]), ([500, 500], [60, 40]), ([120, 300, 80, 500], [25, 41, 22, 112]),
          (integers(9, 10, 80, 200), integers(10, 10, 20, 60)), (integers(11, 30, 500, 900), integers(12, 30, 300, 999)),
          ([1000, 1000, 1000], [900, 50, 50])]
SPARSE = [([0, 10, 5, 0], [3, 0, 9, 0]), ([1, 0, 0], [0, 0, 1]), (integers(13, 12, 0, 3), integers(14, 12, 0, 3))]
BLOCKS = [[[50, 50], [90, 10], [10, 90]], [integers(20 + i, 5, 100, 200) for i in range(8)],
          [integers(40 + i, 4, 5, 150) for i in range(30)], [[30, 30], [30, 30]]]
P_VALUES = [[0.01, 0.9, 0.02], [0.5], [1e-50, 0.03, 0.03, 0.2, 1], [i / 1e4 for i in integers(60, 25, 0, 9999)]]

LEVEL = 1e-4
FISHER = [(0.01, 1, 10), (0.5, 9, 40), (1, 9, 9), (4.96, 1, 10), (3, 9, 225), (30, 1, 12), (200, 2.5, 7.5), (2000, 9, 90), (1e6, 4, 300)]

fixtures = {
    "chiSquaredSurvival": [[x, df, float(stats.chi2.sf(x, df))] for x, df in SURVIVAL],
    "logChiSquaredSurvival": [[x, df, log_chi_squared_survival(x, df)]
                              for x, df in SURVIVAL + [(1e4, 1), (1e5, 9), (1e6, 500)]],
    "normalSurvival": [[z, float(stats.norm.sf(z))] for z in (-8, -3, -1, -0.01, 0, 0.01, 0.5, 1, 1.7, 1.96, 3, 6, 15, 30, 37)],
    "logNormalSurvival": [[z, float(stats.norm.logsf(z))] for z in (-5, -1, 0.3, 2, 10, 37, 100, 1000)],
    "logFisherSurvival": [[x, n, d, log_fisher_survival(x, n, d)] for x, n, d in FISHER],
    "kolmogorovSurvival": [[t, float(special.kolmogorov(t))] for t in (0.1, 0.3, 0.5, 0.7, 0.81, 0.83, 1, 1.36, 2, 5, 7.6, 15, 18.8)],
    "chiSquaredThreshold": [[df, level, float(stats.chi2.isf(level, df))] for df in (1, 2, 9, 33) for level in (0.05, 1e-4, 1e-9)],
    "kolmogorovThreshold": [[level, float(stats.kstwobign.isf(level))] for level in (0.9, 0.05, 1e-4, 1e-9)],
    "foldedNormalMean": [[z, r, float(stats.foldnorm.mean(z / r, scale=r))] for z, r in ((0, 1), (0.5, 1), (2, 3), (4, 0.5))],
    "samples": [{
        "reference": a, "recent": b,
        "ks": float(stats.ks_2samp(a, b).statistic),
        "ksPValue": float(special.kolmogorov(stats.ks_2samp(a, b).statistic * np.sqrt(len(a) * len(b) / (len(a) + len(b))))),
        "wasserstein": float(stats.wasserstein_distance(a, b)),
        "standardDeviation": float(np.std(a)),
        "wassersteinSignificance": wasserstein_significance(a, b) if np.std(a) > 0 else None,
    } for a, b in SAMPLES],
    "counts": [{
        "reference": a, "recent": b,
        "psi": psi(a, b), "jensenShannon": float(jensenshannon(a, b, base=2)),
        "chiSquared": [float(v) for v in stats.chi2_contingency([a, b], correction=False)[:3]],
        "g": float(stats.chi2_contingency([a, b], correction=False, lambda_="log-likelihood").statistic),
        "trend": trend(a, b) if len(a) > 2 else 0.0,
        **distances(a, b),
    } for a, b in COUNTS],
    "sparseCounts": [{"reference": a, "recent": b, "psi": psi(a, b), "jensenShannon": float(jensenshannon(a, b, base=2)), **distances(a, b)}
                     for a, b in SPARSE],
    "overdispersion": [[blocks, overdispersion(blocks)] for blocks in BLOCKS],
    "benjaminiHochberg": [[p, [float(v) for v in stats.false_discovery_control(p)]] for p in P_VALUES],
}
path = pathlib.Path(__file__).with_name("scipy.json")
path.write_text(json.dumps(fixtures, separators=(",", ":")) + "\n")
