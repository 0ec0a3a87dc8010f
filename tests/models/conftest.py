"""A device for machines that have none: it computes on the CPU, and mixes with nothing there.

Its tensors say that they are on :data:`DEVICE`, refuse whatever an accelerator refuses (a partner
that is still on the host, a look by NumPy, doubles where the device has none), and hold the
numbers that the CPU gives: what runs here runs on an accelerator, and must come out alike.
"""

import contextlib
from types import SimpleNamespace

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

from neurokit import devices

DEVICE = torch.device("meta")  # the one device of PyTorch that every build has, and no kernel
HOST = torch.device("cpu")
aten = torch.ops.aten
COPIES = {aten._to_copy.default, aten.copy_.default}
INDEXING = {aten.index.Tensor, aten.index_put_.default, aten._index_put_impl_.default}
QUESTIONS = {aten._has_compatible_shallow_copy_type.default}


class There(torch.Tensor):
    """A tensor of the device."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held):
        """Claim to be elsewhere."""
        return torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
        )

    def __init__(self, held):
        self.held = held

    def __reduce_ex__(self, protocol):
        return self.held.__reduce_ex__(protocol)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        """Compute what an operation gives, where the device would."""
        return computed(func, args, kwargs or {})


def computed(func, args, kwargs):
    """Do one operation on the CPU, if the device could do it."""
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
    there = [x for x in tensors if isinstance(x, There)]
    here = [x for x in tensors if not isinstance(x, There) and x.dim()]
    # Indices may come from the host, but not what they index.
    allowed = func in COPIES | QUESTIONS or (func in INDEXING and isinstance(args[0], There))
    if there and here and not allowed:
        shapes = [tuple(x.shape) for x in here]
        raise RuntimeError(f"{func}: all tensors must be on the device, not {shapes}")
    if func in COPIES and kwargs.get("device") is None:
        place = args[0].device
    else:
        place = torch.device(kwargs.get("device") or (DEVICE if there else HOST))
    plain = {k: HOST if k == "device" and v is not None else v for k, v in kwargs.items()}
    out = func(*tree_map(_held, args), **tree_map(_held, plain))
    if place == HOST:
        return out
    if not devices.has_doubles(DEVICE):
        wide = [x for x in tree_leaves(out) if getattr(x, "dtype", None) is torch.float64]
        if wide:
            raise TypeError(f"{func}: the device has no doubles")
    out = tree_map(lambda x: There(x) if isinstance(x, torch.Tensor) else x, out)
    return return_and_correct_aliasing(func, args, kwargs, out) if there else out


def _held(x):
    return x.held if isinstance(x, There) else x


class Operations(TorchDispatchMode):
    """What makes tensors rather than takes them has no tensor to ask."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Compute what an operation gives, where the device would."""
        return computed(func, args, kwargs or {})


class Constants(TorchFunctionMode):
    """Numbers of Python are put on the device without an operation."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Make them on the host, and copy them."""
        kwargs = dict(kwargs or {})
        if func is torch.Tensor.tolist:
            return func(args[0].cpu())
        if func in (torch.tensor, torch.as_tensor) and kwargs.get("device") is not None:
            place = kwargs.pop("device")
            return func(*args, **kwargs).to(place)
        return func(*args, **kwargs)


class Inference(contextlib.ContextDecorator):
    """Tensors of a subclass know no inference mode; not to keep gradients is all it is for."""

    def __init__(self, mode=True):
        self.mode = mode

    def __enter__(self):
        self.was = torch.is_grad_enabled()
        torch.set_grad_enabled(self.was and not self.mode)

    def __exit__(self, *error):
        torch.set_grad_enabled(self.was)


@pytest.fixture(params=["doubles", "no doubles"])
def place(request, monkeypatch):
    """Offer the device, once as NVIDIA's are and once as Apple's are."""
    module = SimpleNamespace(manual_seed=lambda seed: None, device_count=lambda: 1)
    autocast = torch.autocast
    monkeypatch.setattr(torch, "get_device_module", lambda device=None: module)
    monkeypatch.setattr(torch._C, "_InferenceMode", Inference)
    monkeypatch.setattr(
        torch,
        "autocast",
        lambda kind, *args, **kwargs: (
            contextlib.nullcontext() if kind == "meta" else autocast(kind, *args, **kwargs)
        ),
    )
    if request.param == "no doubles":
        monkeypatch.setattr(devices, "has_doubles", lambda device: device == HOST)
    with Constants(), Operations():
        yield DEVICE
