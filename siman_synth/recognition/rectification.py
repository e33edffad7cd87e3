"""Rectification by a thin-plate spline: a bent or slanted word, made straight before it is read.

Source: Shi et al., "Robust Scene Text Recognition with Automatic Rectification" (CVPR 2016), with
the sizes of the deep text recognition benchmark (20 fiducial points).

Shapes: B batch, F fiducial points, N = H x W positions of the rectified image.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

_EPSILON = 1e-6


class Rectification(nn.Module):
    """Find fiducial points along a word's upper and lower edge, and warp the image so that they are straight.

    Args:
        height_px, width_px: size of the rectified image, and of the images that are given.
        points: F, half of them on the upper edge.
        channels: of the images.
    """

    def __init__(self, height_px: int = 32, width_px: int = 100, points: int = 20, channels: int = 3) -> None:
        super().__init__()
        if points < 6 or points % 2:
            raise ValueError(f"Fiducial points must be an even number of at least 6, found {points}.")
        self.size = (height_px, width_px)
        layers: list[nn.Module] = []
        inputs = channels
        for width in (64, 128, 256, 512):
            layers += [
                nn.Conv2d(inputs, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(True),
            ]
            layers += [nn.MaxPool2d(2)] if width < 512 else [nn.AdaptiveAvgPool2d(1)]
            inputs = width
        self.features = nn.Sequential(*layers)
        self.hidden = nn.Linear(512, 256)
        self.points = nn.Linear(256, 2 * points)
        # A start that rectifies by slightly different bends: equal ones would get equal gradients.
        nn.init.zeros_(self.points.weight)
        with torch.no_grad():
            self.points.bias.copy_(bent_points(points).flatten())
        spline, basis = thin_plate(edge_points(points), _positions(height_px, width_px))
        self.register_buffer("spline", spline, persistent=False)
        self.register_buffer("basis", basis, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H', W') to rectified ones (B, C, H, W)."""
        found = functional.relu(self.hidden(self.features(images).flatten(1)))
        grid = self.grid(self.points(found).unflatten(1, (-1, 2)))
        return functional.grid_sample(images, grid, padding_mode="border", align_corners=True)

    def grid(self, points: Tensor) -> Tensor:
        """Return where each position of the rectified image is found, (B, H, W, 2), from points (B, F, 2)."""
        # In single precision whatever the images are in: the spline's matrix is badly conditioned.
        targets = functional.pad(points.float(), (0, 0, 0, 3))
        placed = cast(Tensor, self.basis) @ (cast(Tensor, self.spline) @ targets)
        return placed.reshape(-1, *self.size, 2).to(points.dtype)


def edge_points(points: int) -> Tensor:
    """Return fiducial points (F, 2) on the straight upper, then lower edge of the rectified image."""
    x = torch.linspace(-1.0, 1.0, points // 2)
    return torch.cat([torch.stack([x, torch.full_like(x, y)], dim=1) for y in (-1.0, 1.0)])


def bent_points(points: int) -> Tensor:
    """Return the points (F, 2) that are predicted before anything is learned (RARE, figure 6a)."""
    x = torch.linspace(-1.0, 1.0, points // 2)
    upper, lower = torch.linspace(0.0, -1.0, points // 2), torch.linspace(1.0, 0.0, points // 2)
    return torch.cat([torch.stack([x, y], dim=1) for y in (upper, lower)])


def thin_plate(points: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Return the matrices of the thin-plate spline through `points`.

    Returns:
        `spline` (F + 3, F + 3) and `basis` (N, F + 3): `basis @ spline @ targets` maps `positions`
        (N, 2) so that `points` (F, 2) meet the first F rows of `targets` (F + 3, 2), whose last
        three are zero.
    """
    points, positions = points.double(), positions.double()
    count = len(points)
    system = torch.zeros(count + 3, count + 3, dtype=torch.float64)
    system[:count, 0] = 1.0
    system[:count, 1:3] = points
    system[:count, 3:] = _bend(points, points)
    system[count, 3:] = 1.0
    system[count + 1 :, 3:] = points.T
    ones = torch.ones(len(positions), 1, dtype=torch.float64)
    basis = torch.cat([ones, positions, _bend(positions, points)], dim=1)
    return torch.linalg.inv(system).float(), basis.float()


def _bend(positions: Tensor, points: Tensor) -> Tensor:
    distance = torch.cdist(positions, points)
    return distance.square() * (distance + _EPSILON).log()


def _positions(height_px: int, width_px: int) -> Tensor:
    y, x = torch.meshgrid(
        torch.linspace(-1.0, 1.0, height_px), torch.linspace(-1.0, 1.0, width_px), indexing="ij"
    )
    return torch.stack([x.flatten(), y.flatten()], dim=1)
