"""Random crops and flips on the device the images are on, as usual for CIFAR10."""

import torch
from torch import Tensor
from torch.nn import functional

PADDING = 4


def crop_and_flip(images: Tensor, *, generator: torch.Generator) -> Tensor:
    """Shift each image by up to 4 pixels, with black edges, and mirror every other one.

    Args:
        images: (n, channels, height, width).
        generator: on the images' device.

    Returns:
        Images of the same shape.
    """
    count, _, height, width = images.shape
    device = images.device
    padded = functional.pad(images, (PADDING,) * 4)

    def draw(upper: int) -> Tensor:
        return torch.randint(upper, (count, 1), generator=generator, device=device)

    rows = draw(2 * PADDING + 1) + torch.arange(height, device=device)
    columns = draw(2 * PADDING + 1) + torch.arange(width, device=device)
    columns = torch.where(draw(2).bool(), columns.flip(1), columns)
    each = torch.arange(count, device=device).view(-1, 1, 1)
    # Indexing (image, row, column) around a slice puts the channels last.
    cropped = padded[each, :, rows.unsqueeze(2), columns.unsqueeze(1)]
    return cropped.permute(0, 3, 1, 2).contiguous()
