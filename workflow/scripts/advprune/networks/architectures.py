"""The networks of the paper's Figure 7.

To add one, write a function that builds it and enter it in `spec.networks`.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


def mnist_cnn(*, channels: int, size: int, classes: int, width: float) -> nn.Module:
    """Figure 7's "CNN (16, 32 filters, 100 FC units)", as in Wong et al. (2020).

    Without batch normalisation; two convolutions that each halve the image, two linear layers.
    """
    first, second, hidden = (_scaled(number, width) for number in (16, 32, 100))
    return nn.Sequential(
        nn.Conv2d(channels, first, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(first, second, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(second * (size // 4) ** 2, hidden),
        nn.ReLU(),
        nn.Linear(hidden, classes),
    )


class PreActBlock(nn.Module):
    """A pre-activation basic block (He et al. 2016): twice normalise, rectify, convolve."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False))

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        active = functional.relu(self.bn1(hidden))
        skipped = self.shortcut(active) if hasattr(self, "shortcut") else hidden
        return skipped + self.conv2(functional.relu(self.bn2(self.conv1(active))))


class PreActResNet18(nn.Module):
    """A pre-activation ResNet of four stages of two blocks.

    Args:
        large_stem: false for the 3x3 stem usual for 32x32 images, with a last batch normalisation;
            true for the 7x7 stem with stride 2 and max-pooling made for ImageNet and without the
            last batch normalisation, as in the code that the paper's authors released.
    """

    def __init__(
        self, *, channels: int, classes: int, widths: Sequence[int], large_stem: bool
    ) -> None:
        super().__init__()
        if large_stem:
            self.conv1 = nn.Conv2d(channels, widths[0], 7, stride=2, padding=3, bias=False)
            self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        else:
            self.conv1 = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
            self.pool = nn.Identity()
        inputs = (widths[0], *widths[:-1])
        stages = [
            nn.Sequential(PreActBlock(before, after, stride), PreActBlock(after, after, 1))
            for before, after, stride in zip(inputs, widths, (1, 2, 2, 2), strict=True)
        ]
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.bn = nn.Identity() if large_stem else nn.BatchNorm2d(widths[-1])
        self.linear = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, height, width) to (n, classes) logits."""
        hidden = self.pool(self.conv1(images))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            hidden = stage(hidden)
        hidden = functional.relu(self.bn(hidden))
        return self.linear(hidden.mean(dim=(2, 3)))


def preact_resnet18(*, channels: int, size: int, classes: int, width: float) -> nn.Module:
    """The PreAct-ResNet18 of Wong et al. (2020), for 32x32 images: 555 million multiplications."""
    widths = [_scaled(number, width) for number in (64, 128, 256, 512)]
    return PreActResNet18(channels=channels, classes=classes, widths=widths, large_stem=False)


def preact_resnet18_large_stem(
    *, channels: int, size: int, classes: int, width: float
) -> nn.Module:
    """The PreAct-ResNet18 of the authors' released code: 37 million multiplications."""
    widths = [_scaled(number, width) for number in (64, 128, 256, 512)]
    return PreActResNet18(channels=channels, classes=classes, widths=widths, large_stem=True)


def _scaled(number: int, width: float) -> int:
    return max(1, round(number * width))
