"""Networks by name: ours, and those of timm, torchvision and transformers."""

from __future__ import annotations

import copy
import importlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from neurokit.alignment.features import alexnet, efficientnet
from neurokit.alignment.features.gabor import GaborPyramid
from neurokit.alignment.features.language_sources import (
    Source,
    _quiet,
    find_source,
    read_config,
)
from neurokit.alignment.features.vision_activations import Prepare, stages
from neurokit.alignment.features.vision_preprocessing import (
    CENTRED,
    IMAGENET,
    UNSCALED,
    Preprocessing,
)
from neurokit.errors import (
    DataError,
    DownloadError,
    MissingExtraError,
    ReadError,
    UnknownNameError,
)
from neurokit.extras import require

__all__ = ["NAMES", "Network", "find_network", "untrained_twin"]

#: Names that need no other package.
NAMES = ("pixels", "gabor", "alexnet", "efficientnet-lite0")
_LIBRARIES = ("timm", "torchvision", "transformers")


@dataclass(frozen=True)
class Network:
    """A network that is ready to see images.

    Attributes
    ----------
    name : str
        How results call it.
    module : torch.nn.Module
        The network.
    prepare : callable
        From images to a batch; a :class:`Preprocessing`, or a library's own processor.
    facts : str
        What ``prepare`` does, in words that change whenever its results do.
    layers : tuple of str
        The layers that "all" means.
    identity : str or None
        What, beside the weights, tells this network from others; None where nobody can know,
        so that its features must not be kept.
    coordinates : dict of str to ndarray
        Coordinates of the features, where they have any.
    """

    name: str
    module: nn.Module
    prepare: Prepare
    facts: str
    layers: tuple[str, ...]
    identity: str | None
    coordinates: dict[str, NDArray]


def find_network(
    model: str | Path | nn.Module,
    *,
    weights: str | Path | None = None,
    preprocessing: Preprocessing | None = None,
    untrained: bool = False,
    seed: int = 0,
) -> Network:
    """Find a network by its name, or take the one given.

    Parameters
    ----------
    model : str, path or torch.nn.Module
        See :func:`~neurokit.alignment.features.vision`.
    weights : path, optional
        A file of weights for one of our own networks.
    preprocessing : Preprocessing, optional
        In place of the network's own.
    untrained : bool
        Draw the weights at random.
    seed : int
        Of these weights.

    Returns
    -------
    Network
        The network, its preprocessing and its layers.

    Raises
    ------
    UnknownNameError
        A name that nobody knows.
    DataError
        Arguments that do not fit the network.
    DownloadError, MissingExtraError
        Weights or packages that are not here.

    Examples
    --------
    >>> find_network("alexnet", untrained=True).layers[0]
    'relu1'
    """
    if isinstance(model, nn.Module):
        return _given(model, preprocessing, weights, untrained, seed)
    name = str(model)
    if name.endswith(".npz"):
        name, weights = "alexnet", name if weights is None else weights
    library, _, inner = name.partition(":")
    if weights is not None and name not in ("alexnet", "efficientnet-lite0"):
        raise DataError(
            f"weights= is for 'alexnet' and 'efficientnet-lite0'; {name!r} finds its own."
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name in NAMES:
            network = _own(name, weights, untrained)
        elif library in _LIBRARIES and inner:
            network = _OPENERS[library](inner, untrained)
        elif Path(name).is_dir() or "/" in name:
            network = _transformers(name, untrained)
        else:
            known = [*NAMES, *(f"{lib}:NAME" for lib in _LIBRARIES), "a folder of transformers"]
            raise UnknownNameError("vision model", name, known)
    if preprocessing is not None:
        network = _replaced(network, preprocessing)
    return network


def untrained_twin(module: nn.Module, seed: int = 0) -> nn.Module:
    """Copy a network and draw its weights anew.

    Parameters
    ----------
    module : torch.nn.Module
        Any network; it is not changed.
    seed : int
        Of the draw.

    Returns
    -------
    torch.nn.Module
        The copy. Modules that know how to reset themselves do; other parameters are drawn from
        a normal distribution of the mean and standard deviation that they had.

    Examples
    --------
    >>> trained = nn.Linear(2, 2)
    >>> torch.equal(untrained_twin(trained).weight, trained.weight)
    False
    """
    twin = copy.deepcopy(module)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for part in twin.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
                continue
            for parameter in part.parameters(recurse=False):
                mean, spread = parameter.mean(), parameter.std(unbiased=False)
                parameter.copy_(torch.randn(parameter.shape).to(parameter) * spread + mean)
    return twin


def _given(
    module: nn.Module,
    preprocessing: Preprocessing | None,
    weights: str | Path | None,
    untrained: bool,
    seed: int,
) -> Network:
    """Take a network that the caller made."""
    if preprocessing is None:
        raise DataError(
            "A network given as an object needs preprocessing=, since it does not say what images "
            "it was trained on: Preprocessing(size=224) is usual for ImageNet."
        )
    if weights is not None:
        raise DataError("weights= is for networks by name; load them into the object first.")
    module = untrained_twin(module, seed) if untrained else module
    facts = repr(preprocessing)
    name = type(module).__name__
    return Network(name, module, preprocessing, facts, tuple(stages(module)), None, {})


def _replaced(network: Network, preprocessing: Preprocessing) -> Network:
    """Return a network that sees images in another way."""
    parts = {**vars(network), "prepare": preprocessing, "facts": repr(preprocessing)}
    return Network(**parts)


def _own(name: str, weights: str | Path | None, untrained: bool) -> Network:
    """Build one of our own networks."""
    if name in ("pixels", "gabor"):
        if untrained:
            raise DataError(f"{name!r} has no weights, so it has no untrained twin.")
        return _pixels() if name == "pixels" else _gabor()
    module: nn.Module
    layers: tuple[str, ...]
    if name == "alexnet":
        module, rule, layers = alexnet.AlexNet(), IMAGENET, alexnet.LAYERS
        if not untrained:
            module.load_state_dict(alexnet.find_weights(weights))
    else:
        module, rule, layers = efficientnet.EfficientNetLite0(), CENTRED, efficientnet.LAYERS
        if not untrained:
            module.load_state_dict(efficientnet.read_weights(weights))
    return Network(name, module, rule, repr(rule), layers, name, {})


def _pixels() -> Network:
    """Return levels as they are."""
    module = nn.Sequential(OrderedDict(pixels=nn.Flatten()))
    return Network("pixels", module, UNSCALED, repr(UNSCALED), ("pixels",), "pixels", {})


def _gabor() -> Network:
    """Return the Gabor pyramid on the 128 pixels that its paper used."""
    pyramid = GaborPyramid()
    module = nn.Sequential(OrderedDict(pyramid=pyramid))
    rule = Preprocessing(size=128, mean=(0.0,) * 3, std=(1.0,) * 3)
    places = pyramid.coordinates()
    return Network("gabor", module, rule, repr(rule), ("pyramid",), "gabor", places)


def _timm(name: str, untrained: bool) -> Network:
    """Make a network of timm."""
    timm = _library("timm")
    if name.partition(".")[0] not in timm.list_models():
        raise UnknownNameError("timm model", name, timm.list_models())
    module = _fetched(lambda: timm.create_model(name, pretrained=not untrained), f"timm:{name}")
    facts = timm.data.resolve_model_data_config(module)
    size = tuple(facts["input_size"][1:])
    shrunk = int(min(size) / facts["crop_pct"])
    rule = Preprocessing(
        size=size,
        resize=None if facts["crop_mode"] == "squash" else max(shrunk, *size),
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
        interpolation=facts["interpolation"],
    )
    layers = tuple(stages(module))
    return Network(f"timm:{name}", module, rule, repr(rule), layers, f"timm:{name}", {})


def _torchvision(name: str, untrained: bool) -> Network:
    """Make a network of torchvision."""
    models = _library("torchvision").models
    known = models.list_models(module=models)
    if name not in known:
        raise UnknownNameError("torchvision model", name, known)
    chosen = models.get_model_weights(name).DEFAULT
    own = None if untrained else chosen
    # Some networks draw their weights twice as slowly as they read them; they may skip it.
    module = _fetched(lambda: models.get_model(name, weights=own), f"torchvision:{name}")
    preset = chosen.transforms()
    rule = Preprocessing(
        size=preset.crop_size[0],
        resize=max(preset.resize_size[0], preset.crop_size[0]),
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        interpolation=preset.interpolation.value,
    )
    layers = tuple(stages(module))
    called = f"torchvision:{name}"
    return Network(called, module, rule, repr(rule), layers, called, {})


def _transformers(name: str, untrained: bool) -> Network:
    """Make a network of transformers, from a folder or by its name on the hub."""
    library = _library("transformers")
    source = _source(name, untrained)
    if untrained:
        module = library.AutoModel.from_config(read_config(source), dtype=torch.float32)
    else:
        module = _strictly(library, source)
    module = getattr(module, "vision_model", module)
    # The processor of PIL needs no torchvision, and is the one that models were trained with.
    processor = _fetched(
        lambda: library.AutoImageProcessor.from_pretrained(source.path, backend="pil"), name
    )

    def prepare(images: Sequence[NDArray]) -> torch.Tensor:
        return processor(images=list(images), return_tensors="pt")["pixel_values"]

    facts = f"{type(processor).__name__} {processor.to_json_string()}"
    identity = f"{type(module).__name__} {module.config.to_json_string()}"
    return Network(name, module, prepare, facts, tuple(stages(module)), identity, {})


def _source(name: str, untrained: bool) -> Source:
    """Find the files of a model of transformers."""
    try:
        return find_source(name, untrained=untrained)
    except UnknownNameError:
        raise UnknownNameError("vision model", name, NAMES) from None
    except DownloadError as error:
        raise DownloadError(
            f"Cannot fetch the model {name!r} from the hub ({error.__cause__!r:.200}), and it is "
            f"no folder. Without a network, fetch it elsewhere with `hf download {name} "
            "--local-dir FOLDER` and pass FOLDER."
        ) from error


def _strictly(library: ModuleType, source: Source) -> nn.Module:
    """Load weights, and see to it that none of them stay random unnoticed."""
    with _quiet():
        module, report = _fetched(
            lambda: library.AutoModel.from_pretrained(
                source.path, dtype=torch.float32, use_safetensors=True, output_loading_info=True
            ),
            source.name,
        )
    missing = sorted(key for key in report["missing_keys"] if not key.startswith("pooler."))
    if len(missing) < len(report["missing_keys"]):
        module.pooler = None  # classifiers are saved without it
    if missing or report["mismatched_keys"]:
        raise ReadError(
            f"The weights of {source.name} do not fit {type(module).__name__}: {len(missing)} are "
            f"missing (such as {', '.join(missing[:2]) or 'none'}), "
            f"{len(report['mismatched_keys'])} have another shape."
        )
    return module


_OPENERS: dict[str, Callable[[str, bool], Network]] = {
    "timm": _timm,
    "torchvision": _torchvision,
    "transformers": _transformers,
}


def _library(name: str) -> ModuleType:
    """Import a library of networks, or say why that fails."""
    if name == "torchvision":
        hint = "pip install torchvision"
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            raise MissingExtraError(f"This needs torchvision. Install it with: {hint}") from None
        except RuntimeError as error:
            raise _mismatch(name, error) from None
    try:
        return require(name, "alignment")
    except RuntimeError as error:
        raise _mismatch(name, error) from None


def _mismatch(name: str, error: Exception) -> MissingExtraError:
    """Explain a binary package that was built for another torch."""
    return MissingExtraError(
        f"{name} is installed but cannot be imported beside torch {torch.__version__}: {error}. "
        "Install the torchvision that was built for this torch, from where torch came."
    )


def _fetched(make: Callable[[], Any], name: str) -> Any:
    """Make something whose weights may have to be fetched first."""
    try:
        return make()
    except ImportError as error:
        raise MissingExtraError(f"{name}: {error}") from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DownloadError(
            f"{name} cannot be opened: {reason[:300]} Give the folder of a saved model where "
            "there is no network, or untrained=True for random weights."
        ) from None
