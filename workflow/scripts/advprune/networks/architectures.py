"""The networks of the paper's Figure 7: functions that build them.

Each takes the images' channels and size, the number of classes and a factor on the number of
filters. To add a network, write such a function and enter it in `spec.networks.NETWORKS`.
"""

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


def mnist_cnn(*, channels: int, size: int, classes: int, width: float) -> nn.Module:
    """Figure 7's "CNN (16, 32 filters, 100 FC units)", as in Wong et al. (2020).

    Without batch normalisation; two convolutions that each halve the image, two linear layers. The
    authors' released code has the same.
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
    """A pre-activation basic block (He et al. 2016): twice normalise, rectify, convolve.

    Where the shape changes, a 1x1 convolution takes the shortcut from the block's input as it
    comes, as in Wong et al. (2020) and in the authors' released code; He et al. take it after the
    first rectifier. Weights of one kind fit the other, but compute something else.

    Args:
        inputs, outputs: channels.
        stride: of the first convolution and of the shortcut.
        normalised_shortcut: whether the 1x1 convolution is followed by batch normalisation.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, *, normalised_shortcut: bool
    ) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = nn.Sequential()  # of nothing: the identity
        if stride != 1 or inputs != outputs:
            self.shortcut.append(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False))
            if normalised_shortcut:
                self.shortcut.append(nn.BatchNorm2d(outputs))

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        inner = self.conv1(functional.relu(self.bn1(hidden)))
        return self.shortcut(hidden) + self.conv2(functional.relu(self.bn2(inner)))


class PreActResNet18(nn.Sequential):
    """A pre-activation ResNet of four stages of two blocks; images to logits.

    Args:
        channels, classes: of the images and of the logits.
        widths: the channels of the four stages.
        large_stem: false for Wong et al.'s (2020), made for 32x32 images: a 3x3 stem, a last batch
            normalisation and rectifier, none on the shortcuts, PyTorch's initial weights. Its
            layers are named as theirs, so that their published weights fit. True for the one in
            the code that the paper's authors released, which is torchvision's ResNet with another
            block: a 7x7 stem with stride 2, batch normalisation, rectifier and max-pooling, batch
            normalisation on the shortcuts, none after the last block, torchvision's initial
            weights.
    """

    def __init__(
        self, *, channels: int, classes: int, widths: Sequence[int], large_stem: bool
    ) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if large_stem:
            layers["conv1"] = nn.Conv2d(channels, widths[0], 7, stride=2, padding=3, bias=False)
            layers["bn1"] = nn.BatchNorm2d(widths[0])
            layers["relu1"] = nn.ReLU()
            layers["pool1"] = nn.MaxPool2d(3, stride=2, padding=1)
        else:
            layers["conv1"] = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
        inputs = (widths[0], *widths[:-1])
        for stage, (before, after) in enumerate(zip(inputs, widths, strict=True), 1):
            layers[f"layer{stage}"] = nn.Sequential(
                PreActBlock(before, after, 1 if stage == 1 else 2, normalised_shortcut=large_stem),
                PreActBlock(after, after, normalised_shortcut=large_stem),
            )
        if not large_stem:
            layers["bn"] = nn.BatchNorm2d(widths[-1])
            layers["relu"] = nn.ReLU()
        layers["pool"] = nn.AdaptiveAvgPool2d(1)
        layers["flatten"] = nn.Flatten()
        layers["linear"] = nn.Linear(widths[-1], classes)
        super().__init__(layers)
        if large_stem:
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


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
