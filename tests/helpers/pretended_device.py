"""A device that is not there, to find on any machine what would go wrong on a GPU.

Its tensors say that they are elsewhere and hold a tensor on the CPU, which does their arithmetic.
So numbers are those of the CPU, and whatever mixes tensors of both devices fails, as on a GPU.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode

DEVICE = torch.device("privateuseone", 0)  # PyTorch's name for a device that it does not know

aten = torch.ops.aten
COPIES = {aten._to_copy.default, aten.copy_.default}
INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default}
SIZED_BY_DATA = {aten.nonzero.default, aten.masked_select.default}


class DeviceMismatchError(RuntimeError):
    """Tensors of the pretended device and of the CPU were mixed."""


@contextmanager
def pretended_device() -> Iterator[tuple[torch.device, list[str]]]:
    """The device, which works within the block, and what has made the CPU wait for it so far."""
    register()
    waits: list[str] = []
    with mock.patch("torch.Generator", _Generator), _CheckGenerators(), _Operations(waits):
        yield DEVICE, waits


class _Tensor(Tensor):
    """A tensor on the pretended device."""

    @staticmethod
    def __new__(cls, on_cpu: Tensor) -> "_Tensor":
        tensor = Tensor._make_wrapper_subclass(
            cls,
            on_cpu.size(),
            strides=on_cpu.stride(),
            storage_offset=on_cpu.storage_offset(),
            dtype=on_cpu.dtype,
            device=DEVICE,
        )
        tensor.on_cpu = on_cpu
        return tensor

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return _run(operation, args, kwargs or {})

    # Modules replace their parameters whole if a tensor tells what it is made of.
    def __tensor_flatten__(self):
        return ["on_cpu"], None

    @staticmethod
    def __tensor_unflatten__(parts, context, size, stride):
        return _Tensor(parts["on_cpu"])

    def __repr__(self):
        return f"pretended {self.on_cpu!r}"

    def __format__(self, form):
        return format(self.on_cpu, form)

    def tolist(self):
        return self.cpu().tolist()

    def untyped_storage(self):
        return self.on_cpu.untyped_storage()


class _Generator(torch.Generator):
    """What ``torch.Generator`` makes: on the pretended device this, elsewhere PyTorch's own."""

    def __new__(cls, device="cpu"):
        if torch.device(device).type != DEVICE.type:
            return torch._C.Generator(device)
        return super().__new__(cls)

    def __init__(self, device="cpu"):
        super().__init__()

    device = DEVICE


class _CheckGenerators(TorchFunctionMode):
    """Random numbers are drawn on the device that their generator is on."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if generator := kwargs.get("generator"):
            drawn = kwargs["device"] if "device" in kwargs else getattr(args[0], "device", "cpu")
            if torch.device(drawn).type != generator.device.type:
                raise DeviceMismatchError(f"{function.__name__}: generator on another device")
        return function(*args, **kwargs)


class _Operations(TorchDispatchMode):
    """Carries out what PyTorch does, and notes what makes the CPU wait for the device."""

    def __init__(self, waits: list[str]) -> None:
        super().__init__()
        self.waits = waits

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = _run(operation, args, kwargs or {})
        if _any_on_device(_tensors([args, kwargs])) and _copies(operation, args, result):
            self.waits.append(str(operation))
        return result


def _run(operation, args, kwargs):
    """Do on the CPU what is asked of either device."""
    tensors = _tensors([args, kwargs])
    on_device = _any_on_device(tensors)
    if on_device and operation not in COPIES:
        _check_devices(operation, args, kwargs)
    if (asked := kwargs.get("device")) is not None:
        on_device = torch.device(asked).type == DEVICE.type
        kwargs = kwargs | {"device": torch.device("cpu")}
    args, kwargs = _replaced(lambda tensor: getattr(tensor, "on_cpu", tensor), [args, kwargs])
    # What was changed in place is what was handed in, not a new tensor.
    known = {id(getattr(tensor, "on_cpu", tensor)): tensor for tensor in tensors}
    make = _Tensor if on_device else lambda tensor: tensor
    return _replaced(
        lambda tensor: known[id(tensor)] if id(tensor) in known else make(tensor),
        operation(*args, **kwargs),
    )


def _check_devices(operation, args, kwargs):
    """Tensors on the CPU may be mixed in as indices, or if they hold one value that is read."""
    changed = args[0] if operation._schema.is_mutable else None
    indexes = operation in INDEXING and isinstance(args[0], _Tensor)
    for tensor in _tensors([args[2:] if indexes else args, kwargs]):
        if not isinstance(tensor, _Tensor) and (tensor.dim() > 0 or tensor is changed):
            raise DeviceMismatchError(f"{operation}: a tensor {tuple(tensor.shape)} is on the CPU")


def _copies(operation, args, result):
    """Whether an operation copies between the devices, if only to learn how large its result is."""
    if operation in INDEXING:
        return any(
            index.dtype == torch.bool or not isinstance(index, _Tensor)
            for index in _tensors(args[1])
        )
    return operation in SIZED_BY_DATA or not _any_on_device(_tensors([result]))


def _tensors(values):
    found = []
    _replaced(found.append, values)
    return found


def _any_on_device(tensors):
    return any(isinstance(tensor, _Tensor) for tensor in tensors)


def _replaced(replace, value):
    """A nested value with every tensor replaced."""
    if isinstance(value, Tensor):
        return replace(value)
    if isinstance(value, list | tuple):
        return type(value)([_replaced(replace, part) for part in value])
    if isinstance(value, dict):
        return {name: _replaced(replace, part) for name, part in value.items()}
    return value


@cache  # a process can have one such device, and keeps it
def register() -> object:
    """Make the device known to PyTorch, which must happen before anything is differentiated."""

    class Backend(backend_registration._DummyBackendModule):
        def get_amp_supported_dtype(self):
            return [torch.bfloat16, torch.float16]

        def device_count(self):
            return 0  # so that nothing looks for devices' random states, in other tests too

    backend_registration._setup_privateuseone_for_python_backend(
        "pretended", backend_module=Backend()
    )
    autocast = torch.library.Library("_", "IMPL", "AutocastPrivateUse1")
    autocast.fallback(torch.library.fallthrough_kernel)  # computes in float32 all the same
    return autocast
