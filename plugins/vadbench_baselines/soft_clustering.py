"""Deep embedded clustering: soft assignments, their sharpened target, and coordinates for them off the simplex.

Xie et al., ICML 2016, arXiv 1511.06335, equations 1 to 3.
"""

from __future__ import annotations

import torch


def log_soft_assignment(z: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """Logarithms of q (B, K) for vectors (B, D) and centres (K, D): q_ik is proportional to 1 / (1 + |z_i - m_k|^2).

    That is Student's t with one degree of freedom. As logarithms, and in float64, so that what is far from every centre is told
    apart as well.
    """
    square = (z[:, None].double() - centres.double()).square().sum(dim=2)
    return (-square.log1p()).log_softmax(dim=1)


def sharpened_target(q: torch.Tensor, frequency: torch.Tensor) -> torch.Tensor:
    """Targets p (B, K), proportional to q_ik^2 / f_k: sure assignments become surer, large clusters count less.

    Args:
        q: (B, K) soft assignments.
        frequency: f (K,), the mean of q over the training windows; its scale cancels.
    """
    weight = q.square() / frequency
    return weight / weight.sum(dim=1, keepdim=True)


def divergence(log_q: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean KL(p | q) () in nats of targets p (B, K) and assignments given as log q (B, K)."""
    return (torch.xlogy(target, target) - target * log_q).sum(dim=1).mean()


def log_ratios(log_q: torch.Tensor) -> torch.Tensor:
    """Isometric log-ratio coordinates (B, K - 1) of proportions given as log q (B, K).

    Proportions sum to one, so their covariance is singular; these coordinates have no such constraint and lose nothing
    (Egozcue et al., Mathematical Geology 2003). Coordinate k compares the geometric mean of the first k with the next one.
    """
    count = torch.arange(1, log_q.shape[1], dtype=log_q.dtype, device=log_q.device)
    mean = log_q.cumsum(dim=1)[:, :-1] / count
    return (count / (count + 1)).sqrt() * (mean - log_q[:, 1:])
