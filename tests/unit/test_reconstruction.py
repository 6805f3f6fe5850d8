"""What a tokenizer loses: none, all, and what PCA leaves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_tracks import made_windows
from sklearn.decomposition import PCA

from vadbench.api import COCO_18, Context, PoseShape
from vadbench_msgflow import reconstruction
from vadbench_msgflow.kmeans import KMeansConfig, KMeansTokenizer
from vadbench_msgflow.reconstruction import code_counts, sampled_variance_lost, variance_lost


def test_nothing_and_all():
    x = torch.randn(40, 2, 4, 3) + 5
    assert variance_lost(x, x) == 0
    assert variance_lost(x, x.mean(dim=0).expand_as(x)) == pytest.approx(1)
    assert variance_lost(torch.ones(3, 2, 4, 3), torch.zeros(3, 2, 4, 3)) == 0, "there is no variance to lose"


def test_as_pca_counts_it():
    x = torch.randn(60, 2, 4, 3, dtype=torch.float64)
    pca = PCA(5).fit(x.flatten(1))
    decoded = torch.from_numpy(pca.inverse_transform(pca.transform(x.flatten(1)))).view_as(x)
    assert variance_lost(x, decoded) == pytest.approx(1 - pca.explained_variance_ratio_.sum())


def test_of_a_tokenizer(monkeypatch):
    windows = made_windows({1: range(60), 2: range(40)})
    tokenizer = KMeansTokenizer(KMeansConfig(codebook_size=6, width=5), PoseShape(2, 8, COCO_18))
    tokenizer.fit(windows, Context(seed=1))
    x = torch.from_numpy(windows.batch(slice(None)).x)
    codes = tokenizer.encode(x).codes
    whole = variance_lost(x, tokenizer.decode(codes))
    monkeypatch.setattr(reconstruction, "_BATCH", 7)
    assert sampled_variance_lost(tokenizer, windows, Context()) == pytest.approx(whole, rel=1e-5)
    assert code_counts(tokenizer, windows, Context()).tolist() == np.bincount(codes.flatten(), minlength=6).tolist()
    monkeypatch.setattr(reconstruction, "SAMPLE", 9)
    assert sampled_variance_lost(tokenizer, windows, Context()) == pytest.approx(whole, rel=0.5)
