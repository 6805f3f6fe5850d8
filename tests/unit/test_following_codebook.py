"""A codebook that follows the features assigned to it, and revives codes out of use, at any size."""

from __future__ import annotations

import pytest
import torch

from vadbench.engine.training.trainer import seeded
from vadbench_msgflow.codebook_usage import codebook_usage
from vadbench_msgflow.following_codebook import FollowingCodebook


def made(*vectors: float, ema: float = 0.5, reset_below: float = 0.0) -> FollowingCodebook:
    """Of vectors (v, v)."""
    book = FollowingCodebook(len(vectors), 2, ema=ema, reset_below=reset_below)
    book.vectors.data = torch.tensor(vectors)[:, None].expand(-1, 2).contiguous()
    book.count.fill_(1)
    book.total.copy_(book.vectors)
    return book


def follow(book: FollowingCodebook, features: torch.Tensor, times: int = 1) -> None:
    for _ in range(times):
        book.follow(features, book.nearest(features), torch.Generator().manual_seed(0))


def test_nearest():
    book = made(-1.0, 0.0, 5.0)
    features = torch.tensor([[[-9.0, -9.0], [2.0, 2.0]], [[4.0, 4.0], [-0.4, -0.4]]])
    assert book.nearest(features).tolist() == [[0, 1], [2, 1]]


def test_nearest_is_that_of_all_distances():
    with seeded(0):
        book, features = FollowingCodebook(40, 7, ema=0.9, reset_below=0.1), torch.randn(30, 5, 7)
    distance = (features[:, :, None] - book.vectors).square().sum(dim=3)
    chosen = distance.gather(2, book.nearest(features)[..., None])[..., 0]
    torch.testing.assert_close(chosen, distance.min(dim=2).values, rtol=1e-4, atol=1e-5)


def test_follows_the_mean_of_its_features():
    book = made(-1.0, 1.0)
    follow(book, torch.tensor([[[-2.0] * 2, [-4.0] * 2, [6.0] * 2]]), times=40)
    torch.testing.assert_close(book.vectors.data, torch.tensor([[-3.0] * 2, [6.0] * 2]))
    torch.testing.assert_close(book.count, torch.tensor([2.0, 1.0]))


def test_dead_codes_are_reset_to_features():
    book = made(0.0, 500.0, 900.0, reset_below=0.3)
    features = torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(0))
    follow(book, features)
    rows = features.flatten(0, 1)
    for code in (1, 2):
        assert (rows == book.vectors[code]).all(dim=1).any()
        assert book.count[code] == pytest.approx(0.3 * 12 / 3), "what it is reset below"
        assert torch.equal(book.total[code], book.vectors[code] * book.count[code])
    assert not (rows == book.vectors[0]).all(dim=1).any(), "a code in use stays"


def test_no_reset_where_it_is_off():
    book = made(0.0, 500.0)
    follow(book, torch.randn(4, 2, 2), times=5)
    torch.testing.assert_close(book.vectors[1].data, torch.full((2,), 500.0))


@pytest.mark.parametrize(("size", "features"), [(32, 768), (512, 768), (512, 256)])
def test_use_at_any_size(size, features):
    """Most codes are used, with many features of a batch for each code or fewer than one."""
    draw = torch.Generator().manual_seed(0)
    centre = torch.randn(64, 4, generator=draw) * 3

    def drawn(count: int) -> torch.Tensor:
        return centre[torch.randint(64, (count,), generator=draw)] + torch.randn(count, 4, generator=draw) * 0.3

    with seeded(0):
        book = FollowingCodebook(size, 4, ema=0.99, reset_below=0.1)
    book.put(torch.arange(size), torch.randn(features, 4, generator=draw) * 0.1 + 20, draw)
    for _ in range(300):
        rows = drawn(features)[None]
        book.follow(rows, book.nearest(rows), draw)
    usage = codebook_usage(torch.bincount(book.nearest(drawn(40 * size)[None]).flatten(), minlength=size))
    assert usage["perplexity"] > size / 3
    assert usage["dead_codes"] < size / 10


def test_features_far_from_0_and_close_together():
    with seeded(0):
        book, features = FollowingCodebook(40, 8, ema=0.9, reset_below=0.1), torch.randn(30, 5, 8)
    book.vectors.copy_(book.vectors * 1e-3 + 300)
    features = features * 1e-3 + 300
    exact = torch.cdist(features.double().flatten(0, 1), book.vectors.double(), compute_mode="donot_use_mm_for_euclid_dist")
    assert torch.equal(book.nearest(features).flatten(), exact.argmin(dim=1))


def test_no_code_is_left_behind_while_an_untrained_encoder_drifts():
    with seeded(0):
        book, features = FollowingCodebook(32, 4, ema=0.99, reset_below=0.1), torch.randn(64, 6, 4)
    draw = torch.Generator().manual_seed(0)
    book.put(torch.arange(32), features.flatten(0, 1), draw)
    for step in range(15):
        drifted = features + 0.3 * step
        book.follow(drifted, book.nearest(drifted), draw)
    assert len(book.nearest(features + 0.3 * 14).unique()) > 16


def test_no_gradient_moves_it():
    assert not made(1.0, 2.0).vectors.requires_grad
