"""The thin-plate spline against its closed form, and the module's shapes."""

import math

import pytest
import torch

from siman_synth.recognition.rectification import Rectification, bent_points, edge_points


def test_points_on_the_edges_leave_every_position_where_it_is() -> None:
    module = Rectification(8, 20)
    grid = module.grid(edge_points(20)[None])
    y, x = torch.meshgrid(torch.linspace(-1, 1, 8), torch.linspace(-1, 1, 20), indexing="ij")
    assert torch.allclose(grid[0], torch.stack([x, y], dim=-1), atol=1e-4)


def test_an_affine_move_of_the_points_moves_every_position_so() -> None:
    module = Rectification(8, 20)
    matrix, shift = torch.tensor([[0.8, 0.1], [-0.2, 0.7]]), torch.tensor([0.05, -0.1])
    still, moved = module.grid(torch.stack([edge_points(20), edge_points(20) @ matrix.T + shift]))
    assert torch.allclose(moved, still @ matrix.T + shift, atol=1e-4)


def test_it_is_the_closed_form_of_the_spline() -> None:
    """f(p) = a + b p + sum_i w_i r_i^2 log r_i, with sum w_i = sum w_i c_i = 0 and f(c_i) = the points."""
    module = Rectification(4, 10, points=8)
    centres = edge_points(8).double()
    targets = (edge_points(8) + 0.2 * torch.randn(8, 2, generator=torch.Generator().manual_seed(1))).double()
    size = len(centres)
    rows = []
    for i in range(size):
        bends = []
        for j in range(size):
            r = math.dist(centres[i].tolist(), centres[j].tolist())
            bends.append(r * r * math.log(r) if r else 0.0)
        rows.append([*bends, 1.0, *centres[i].tolist()])
    rows += [[*column, 0.0, 0.0, 0.0] for column in ([1.0] * size, *centres.T.tolist())]
    right = torch.cat([targets, torch.zeros(3, 2, dtype=torch.float64)])
    solved = torch.linalg.solve(torch.tensor(rows, dtype=torch.float64), right)
    expected = torch.zeros(4, 10, 2, dtype=torch.float64)
    for row, y in enumerate(torch.linspace(-1, 1, 4).tolist()):
        for column, x in enumerate(torch.linspace(-1, 1, 10).tolist()):
            value = solved[size] + x * solved[size + 1] + y * solved[size + 2]
            for j in range(size):
                r = math.dist((x, y), centres[j].tolist())
                value = value + (r * r * math.log(r) if r else 0.0) * solved[j]
            expected[row, column] = value
    assert torch.allclose(module.grid(targets.float()[None])[0].double(), expected, atol=2e-4)


def test_it_starts_with_the_bent_edges_for_every_image() -> None:
    module = Rectification().eval()
    with torch.no_grad():
        hidden = torch.relu(module.hidden(module.features(torch.randn(2, 3, 32, 100)).flatten(1)))
        found = module.points(hidden).unflatten(1, (-1, 2))
    assert torch.equal(found, bent_points(20).expand(2, -1, -1))


def test_it_rectifies_images_and_learns() -> None:
    module = Rectification()
    rectified = module(torch.randn(2, 3, 32, 100))
    assert rectified.shape == (2, 3, 32, 100)
    rectified.square().mean().backward()
    assert module.points.bias.grad is not None
    assert module.points.bias.grad.abs().sum() > 0


def test_it_has_the_published_size() -> None:
    gray = Rectification(channels=1)
    assert sum(parameter.numel() for parameter in gray.parameters()) == 1_692_392


@pytest.mark.parametrize("points", [4, 7])
def test_points_come_in_pairs(points: int) -> None:
    with pytest.raises(ValueError, match=f"even number of at least 6, found {points}"):
        Rectification(points=points)
