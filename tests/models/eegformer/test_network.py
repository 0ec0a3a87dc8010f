"""EEGFormer: what its patches see, what must not matter, and what it refuses."""

import numpy as np
import pytest
import scipy.signal
import torch

import neurokit as nk
from neurokit.errors import DataError, UnknownNameError
from neurokit.models import EEGFormer, EEGFormerConfig
from neurokit.models.eegformer.objective import pretraining_loss
from neurokit.models.eegformer.spectrum import SpectralPatches, amplitude_density

SMALL = {"window": 2.0, "width": 32, "n_codes": 32, "encoder_blocks": 1}
TIME = {"patch_domain": "time", "patch_length": 64, "stride": 32}


def make(**changes):
    return EEGFormer(EEGFormerConfig.preset("tiny", **{**SMALL, **changes})).eval()


def noise(*shape, seed=0):
    return 1e-5 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def windows(x=None, rate=128, length=2.0, units="V", **changes):
    x = noise(1280, 3).numpy() if x is None else x
    rec = nk.Recording.from_array(x, rate, stream="eeg", units=units, **changes)
    return nk.windows.sliding(rec, stream="eeg", length=length)


@pytest.mark.parametrize(("taper", "name"), [(True, "hann"), (False, "boxcar")])
def test_the_spectrum_is_scipys(taper, name):
    x = noise(4, 250).double()
    _, power = scipy.signal.periodogram(x.numpy(), 100, name, detrend="constant")
    ours = amplitude_density(x, 100, taper).numpy()
    # scipy counts the last bin of an even length once: it has no mirror image.
    np.testing.assert_allclose(ours[:, :-1] ** 2, power[:, 1:-1], rtol=1e-5)


def test_white_noise_has_the_same_density_however_long():
    x = noise(200, 1000)
    levels = [float(amplitude_density(part, 250).square().mean()) for part in (x, x[:, :100])]
    expected = 2 * 1e-10 / 250  # two-sided power over the sampling rate, folded to one side
    np.testing.assert_allclose(levels, expected, rtol=0.05)


def test_amplitudes_need_no_logarithm():
    cut = SpectralPatches(EEGFormerConfig.preset("tiny", **SMALL, log_amplitude=False)).eval()
    x = noise(2, 256, 3)
    torch.testing.assert_close(cut(3 * x), 3 * cut(x), rtol=1e-4, atol=1e-5)
    first = 1e6 * amplitude_density(x.transpose(1, 2).flatten(0, 1), 128)[:, :32]
    torch.testing.assert_close(cut(x)[:, 0], first, rtol=1e-4, atol=1e-6)


def test_asking_for_codes_teaches_nothing():
    model = make(kmeans_batches=0).train()
    before = model.quantizer.codebook.clone()
    codes = model.codes({"x": noise(4, 256, 2)})
    assert torch.equal(model.quantizer.codebook, before)
    model.eval()
    assert torch.equal(model({"x": noise(4, 256, 2)}).codes, model.codes({"x": noise(4, 256, 2)}))
    assert codes.shape == (4, 2, model.config.n_patches)


def test_a_flat_channel_is_finite():
    found = make().train()({"x": torch.zeros(4, 256, 2)})
    assert bool(found.target.isfinite().all())
    assert bool(found.estimate.isfinite().all())


def test_statistics_are_those_of_all_training_spectra():
    config = EEGFormerConfig.preset("tiny", **SMALL)
    cut = SpectralPatches(config)
    x = noise(48, 256, 2) * torch.linspace(0.5, 3, 48)[:, None, None]
    for part in x.split((5, 20, 23)):
        cut(part)
    bins = (1e6 * amplitude_density(x.transpose(1, 2).flatten(0, 1), 128) + 0.01).log()
    torch.testing.assert_close(cut.mean, bins.mean(dim=0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(cut.variance, bins.var(dim=0, correction=0), rtol=1e-3, atol=1e-5)
    standard = cut.eval()(x)[:, :7].flatten(1)
    torch.testing.assert_close(
        standard.std(dim=0, correction=0), torch.ones(224), rtol=1e-3, atol=0
    )


def test_statistics_stay_once_enough_was_seen_and_in_evaluation():
    cut = SpectralPatches(EEGFormerConfig.preset("tiny", **SMALL))
    cut.eval()(noise(4, 256, 3))
    assert int(cut.n_seen) == 0
    cut.train()(noise(64, 256, 300))
    mean = cut.mean.clone()
    cut(5 * noise(64, 256, 3))
    torch.testing.assert_close(cut.mean, mean, rtol=0, atol=0)


def burst(start):
    """Make half a second of 40 Hz, 60 µV, from a given second on."""
    time = torch.arange(256) / 128
    return 6e-5 * torch.sin(2 * torch.pi * 40 * time) * ((time >= start) & (time < start + 0.5))


def changed_codes(model, event):
    """Tell in how many windows each patch gets another code for a burst."""
    x = noise(16, 256, 2)
    plain, with_event = model.codes({"x": x}), model.codes({"x": x + burst(event)[:, None]})
    return (plain != with_event).flatten(0, 1).float().mean(dim=0).numpy()


def without_context(**changes):
    """Make a model whose blocks do not mix patches, with codes from data that have bursts."""
    model = make(**changes, kmeans_batches=1)
    for block in model.encoder.blocks:
        torch.nn.init.zeros_(block.attention.output.weight)
    x = noise(64, 256, 2, seed=1)
    x[::2] += torch.stack([burst(start) for start in np.arange(32) * 1.5 / 32])[..., None]
    with torch.no_grad():
        model.train()({"x": x})
    return model.eval()


def test_codes_of_time_patches_say_when():
    model = without_context(**TIME)
    changed = changed_codes(model, event=1.25)
    start, stop = model.config.patch_bounds.T
    overlaps = (start < 1.75) & (stop > 1.25)
    assert (changed[~overlaps] == 0).all()
    inside = (start >= 1.25) & (stop <= 1.75)
    assert changed[inside].min() > 0.7


def test_codes_of_frequency_patches_say_which_band_but_not_when():
    model = without_context()
    early, late = changed_codes(model, event=0.25), changed_codes(model, event=1.25)
    start, stop = model.config.patch_bounds.T
    band = (start < 40) & (stop > 40)
    assert early[band].min() > 0.7
    assert early[stop < 30].max() < 0.5
    np.testing.assert_allclose(early, late, atol=0.4)


@pytest.mark.parametrize("domain", [{}, TIME])
@torch.no_grad()
def test_channels_are_independent_and_their_order_does_not_matter(domain):
    model, x = make(**domain), noise(3, 256, 5)
    order = [3, 0, 4, 1, 2]
    for verb in (model.codes, model.represent):
        torch.testing.assert_close(verb({"x": x[..., order]}), verb({"x": x})[:, order])
    alone = torch.cat([model.represent({"x": x[..., [c]]}) for c in range(5)], dim=1)
    torch.testing.assert_close(alone, model.represent({"x": x}), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_batches_do_not_matter():
    model, x = make(), noise(6, 256, 2)
    apart = torch.cat([model.represent({"x": part}) for part in x.split(1)])
    torch.testing.assert_close(apart, model.represent({"x": x}), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_volts_and_microvolts_are_the_same_to_it():
    x = noise(3, 256, 2)
    volts, micro = make(), make(units="uV")
    torch.testing.assert_close(
        volts.represent({"x": x}), micro.represent({"x": 1e6 * x}), rtol=1e-4, atol=1e-5
    )
    assert not torch.allclose(volts.represent({"x": x}), micro.represent({"x": x}), atol=0.1)


def test_a_constant_added_to_a_channel_does_not_matter():
    model, x = make(), noise(2, 256, 2)
    torch.testing.assert_close(model.codes({"x": x}), model.codes({"x": x + 1e-5}))


def test_the_loss_is_that_of_the_paper():
    model = make(ema=None, kmeans_batches=0, commitment=0.5)
    batch = {"x": noise(4, 256, 2)}
    found = model(batch)
    encoded = model.encode_patches(batch)
    codes = model.quantizer.codebook[found.codes]
    distance = torch.cdist(encoded.flatten(0, 2), model.quantizer.codebook)
    assert torch.equal(distance.argmin(dim=1), found.codes.flatten())
    expected = (found.estimate - found.target).square().mean()
    expected = expected + 1.5 * (encoded - codes).square().mean()
    torch.testing.assert_close(model.loss(batch)["loss"], expected)


def test_r2_is_one_for_perfection_and_zero_for_the_mean():
    x = torch.randn(50, 3)
    assert float(pretraining_loss(x, x, torch.tensor(0.0))["r2"]) == 1
    assert float(pretraining_loss(x, 0 * x, torch.tensor(0.0))["r2"]) == 0


def test_gradients_pass_the_codes():
    model = make(kmeans_batches=0, ema=None).train()
    model.loss({"x": noise(4, 256, 2)})["loss"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        if name != "quantizer.store.weight":
            assert parameter.grad.abs().sum() > 0 or name.endswith("qkv.bias"), name


def test_masked_patches_are_not_seen():
    model = make(mask_fraction=0.5, kmeans_batches=0)
    torch.nn.init.constant_(model.embedding.weight, 0)
    torch.nn.init.constant_(model.embedding.bias, 1)
    torch.nn.init.constant_(model.unseen, -7)
    seen = []
    model.positions.register_forward_pre_hook(lambda _, given: seen.append(given[0][..., 0]))
    batch = {"x": noise(8, 256, 2)}
    model(batch)
    model.train()(batch)
    assert (seen[0] == 1).all()
    assert ((seen[1] == -7).sum(dim=1) == model.config.n_patches // 2).all()


def test_it_says_the_same_again_and_is_stored(tmp_path):
    model = make(seed=3)
    batch = model.example()
    again = make(seed=3)
    assert torch.equal(model.represent(batch), again.represent(batch))
    assert not torch.equal(model.represent(batch), make(seed=4).represent(batch))
    model.save_pretrained(tmp_path / "kept")
    kept = EEGFormer.from_pretrained(tmp_path / "kept")
    assert kept.config == model.config
    assert torch.equal(kept.codes(batch), model.codes(batch))


def test_a_classifier_reads_all_patches():
    model = make().classifier(["rest", "task"])
    batch = {"x": noise(4, 256, 7), "label": torch.tensor([0, 1, 1, 0])}
    assert model(batch).shape == (4, 2)
    model.loss(batch)["loss"].backward()
    assert model.backbone.embedding.weight.grad.abs().sum() > 0


def test_a_classifier_can_tell_channels_apart():
    backbone = make()
    n_features = 7 * backbone.config.n_patches * backbone.config.width
    model = backbone.classifier(["rest", "task"], pool="flatten", n_features=n_features)
    assert model({"x": noise(4, 256, 7)}).shape == (4, 2)


def with_nan(channels, until=None):
    x = noise(1280, 3).numpy()
    x[:until, channels] = np.nan
    return x


def amplified(factor):
    """Make windows whose amplitude slipped, past the check that recordings make themselves."""
    win = windows()
    return nk.windows.Windows(
        [nk.Recording.from_array(noise(1280, 3).numpy() * factor, 128, stream="lfp", units="V")],
        "lfp", 256, win.recording_index, win.first_sample,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:Stream 'lfp'")
@pytest.mark.parametrize(
    ("factor", "hint"),
    [
        (1e6, "they are in uV: make the recordings with units='uV'"),
        (3e3, "they are in mV: make the recordings with units='mV'"),
        (1e-6, "No voltage fits their size: were they scaled to volts twice"),
    ],
)
def test_a_slip_of_a_thousand_or_a_million_is_refused(factor, hint):
    with pytest.raises(
        DataError, match=rf"typical amplitude is \S+ µV .*Is the unit right\? .*{hint}"
    ):
        make().check(amplified(factor))


def test_windows_that_fit_pass():
    make().check(windows())
    make(**TIME).check(windows(x=noise(1280, 31).numpy()))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"rate": 256}, DataError, "have 256 Hz, the EEGFormer takes 128 Hz"),
        ({"length": 1.0}, DataError, r"1 s \(128 samples\) for an EEGFormer of 2 s"),
        ({"length": 0.25}, DataError, "shorter than a patch, 32"),
    ],
)
def test_windows_of_another_kind_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        make().check(windows(**changes))


def test_units_that_do_not_fit_are_refused():
    counts = nk.Recording.from_array(noise(1280, 3).numpy(), 128, stream="behaviour", units="a.u.")
    with pytest.raises(UnknownNameError, match="unit of the windows 'a.u.'"):
        make().check(nk.windows.sliding(counts, stream="behaviour", length=2))
    with pytest.raises(DataError, match="in 'V', the EEGFormer takes 'uV'"):
        make(units="uV").check(windows())


def bad_channels(x):
    """Make windows with missing values, which recordings refuse unless channels are marked bad."""
    win = windows()
    win._arrays[0][:] = x
    return win


def test_missing_values_are_named():
    with pytest.raises(DataError, match=r"Channels \['1'\] have no values"):
        make().check(bad_channels(with_nan([1])))
    with pytest.raises(DataError, match="Window 0 has missing or infinite values in channel '2'"):
        make().check(bad_channels(with_nan([2], until=10)))


def test_batches_of_another_shape_are_refused():
    with pytest.raises(DataError, match=r"expected x|Expected x of shape .window, 256 samples"):
        make().codes({"x": noise(2, 255, 3)})
    with pytest.raises(DataError, match="got .2, 256"):
        make().codes({"x": noise(2, 256)})


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_windows_are_taken_by_a_model_of_another_precision(dtype, tmp_path):
    model = make(kmeans_batches=2)
    model.train().loss({"x": noise(8, 256, 2)})
    batch = {"x": noise(4, 256, 3, seed=1)}
    expected = model.eval().represent(batch)
    model.to(dtype).save_pretrained(tmp_path / "kept")
    kept = EEGFormer.from_pretrained(tmp_path / "kept")
    found = kept.represent(batch)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), expected, rtol=0, atol=0.2)
    assert kept.codes(batch).shape == (4, 3, kept.config.n_patches)
    for _ in range(2):  # the codebook starts, and follows
        loss = kept.train().loss(batch)["loss"]
        loss.backward()
    assert torch.isfinite(loss)
    assert kept.quantizer.n_used > 8
    assert kept.classifier(["rest", "task"])(batch).shape == (4, 2)


def test_held_out_codes_are_counted_not_those_of_training():
    model = make(kmeans_batches=0)
    model.quantizer.store.counts[:] = 1.0  # as if training had used all codes
    batch = {"x": noise(1, 256, 1)}
    told = model.loss(batch)
    assert told["used_codes"] == len(model.codes(batch).unique()) < 32
    assert model.train().loss(batch)["used_codes"] == 32
