"""The encoder as a module, and as the file that the deep text recognition benchmark loads."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from siman_synth import TrainingSet, load_encoder, train_recognizer
from siman_synth.config import load_config
from siman_synth.errors import WeightsError
from siman_synth.models.bundled import weights_file
from siman_synth.models.checkpoint import load_generator, save_generator
from siman_synth.models.generator import Generator, GeneratorConfig
from siman_synth.recognition.encoders import DTRB_PREFIX, export_encoder
from siman_synth.recognition.recognizer import PRESETS, Recognizer
from siman_synth.recognition.weights import save_recognizer
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.resources import resource_folder
from tests.recognizer_training.tiny import write_words

STAGES = {"layer1": (64, 128, 1), "layer2": (128, 256, 2), "layer3": (256, 512, 5), "layer4": (512, 512, 3)}
SINGLE = {
    "conv0_1": (32, 3, 3), "conv0_2": (64, 32, 3), "conv1": (128, 128, 3), "conv2": (256, 256, 3),
    "conv3": (512, 512, 3), "conv4_1": (512, 512, 2), "conv4_2": (512, 512, 2),
}  # fmt: skip
"""Output channels, input channels and kernel of the convolutions outside of residual blocks."""


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Return names and shapes of modules/feature_extraction.py of the benchmark, for RGB and 512 channels."""
    convolutions = {name: (*sizes[:2], sizes[2], sizes[2]) for name, sizes in SINGLE.items()}
    norms = {name.replace("conv", "bn"): sizes[0] for name, sizes in SINGLE.items()}
    for layer, (before, channels, blocks) in STAGES.items():
        for number in range(blocks):
            inputs = before if number == 0 else channels
            block = f"{layer}.{number}."
            convolutions |= {
                block + "conv1": (channels, inputs, 3, 3),
                block + "conv2": (channels, channels, 3, 3),
            }
            norms |= {block + "bn1": channels, block + "bn2": channels}
            if inputs != channels:
                convolutions[block + "downsample.0"] = (channels, inputs, 1, 1)
                norms[block + "downsample.1"] = channels
    shapes: dict[str, tuple[int, ...]] = {f"{name}.weight": shape for name, shape in convolutions.items()}
    for name, channels in norms.items():
        shapes |= {
            f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")
        }
        shapes[f"{name}.num_batches_tracked"] = ()
    return shapes


def published_output(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """Run the benchmark's ResNet, written out from its layer list."""

    def convolved(
        x: Tensor, name: str, norm: str, stride: tuple[int, int] = (1, 1), padding: tuple[int, int] = (1, 1)
    ) -> Tensor:
        x = functional.conv2d(x, state[f"{name}.weight"], stride=stride, padding=padding)
        mean, variance, weight, bias = (
            state[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, variance, weight, bias)

    def residual(x: Tensor, layer: str, blocks: int) -> Tensor:
        for number in range(blocks):
            block = f"{layer}.{number}."
            inner = convolved(x, block + "conv1", block + "bn1").relu()
            inner = convolved(inner, block + "conv2", block + "bn2")
            if f"{block}downsample.0.weight" in state:
                x = convolved(x, block + "downsample.0", block + "downsample.1", padding=(0, 0))
            x = (x + inner).relu()
        return x

    x = convolved(images, "conv0_1", "bn0_1").relu()
    x = functional.max_pool2d(convolved(x, "conv0_2", "bn0_2").relu(), 2, 2)
    x = convolved(residual(x, "layer1", 1), "conv1", "bn1").relu()
    x = residual(functional.max_pool2d(x, 2, 2), "layer2", 2)
    x = functional.max_pool2d(convolved(x, "conv2", "bn2").relu(), 2, (2, 1), (0, 1))
    x = convolved(residual(x, "layer3", 5), "conv3", "bn3").relu()
    x = convolved(residual(x, "layer4", 3), "conv4_1", "bn4_1", (2, 1), (0, 1)).relu()
    return convolved(x, "conv4_2", "bn4_2", padding=(0, 0)).relu()


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SimAN weights with the paper's encoder, whose batch statistics are no defaults."""
    torch.manual_seed(0)
    generator = Generator(GeneratorConfig(encoder="resnet29", decoder_widths=(4, 4), paint_width=4))
    for module in generator.encoder.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features) / 10
            module.running_var = torch.rand(module.num_features) + 3
    path = tmp_path_factory.mktemp("paper") / "siman.safetensors"
    save_generator(path, generator, {})
    return path


@pytest.fixture(scope="module")
def exported(paper: Path) -> dict[str, Tensor]:
    out = paper.with_name("resnet.pth")
    export_encoder(paper, "dtrb", out)
    state: dict[str, Tensor] = torch.load(out, weights_only=True)
    return state


def test_the_benchmark_finds_the_names_and_shapes_that_it_loads(exported: dict[str, Tensor]) -> None:
    assert all(name.startswith(DTRB_PREFIX) for name in exported)
    found = {name.removeprefix(DTRB_PREFIX): tuple(tensor.shape) for name, tensor in exported.items()}
    assert found == published_shapes()


def test_our_columns_are_the_benchmarks_two_further_left(paper: Path, exported: dict[str, Tensor]) -> None:
    """Away from the ends, where the 2 x 2 kernels add columns at both sides there and at the right here."""
    images = torch.rand(1, 3, 32, 400) * 2 - 1
    state = {name.removeprefix(DTRB_PREFIX): tensor for name, tensor in exported.items()}
    with torch.no_grad():
        theirs = published_output(state, images)
        ours = load_encoder(paper)(images)[-1]
    assert (theirs.shape, ours.shape) == ((1, 512, 1, 101), (1, 512, 1, 100))
    torch.testing.assert_close(ours[..., 30:70], theirs[..., 32:72], rtol=1e-3, atol=1e-4)
    moved, unmoved = ((ours[..., 30:70] - theirs[..., 30 + by : 70 + by]).abs().max() for by in (2, 0))
    assert unmoved > 20 * moved


def test_the_bundled_encoder_gives_a_map_a_level_and_can_be_trained() -> None:
    encoder = load_encoder()
    maps = encoder(torch.zeros(2, 3, 32, 100))
    assert [tuple(level.shape) for level in maps] == [(2, 24, 16, 50), (2, 64, 8, 25)]
    assert (encoder.channels, encoder.strides, encoder.height_px) == ((24, 64), (2, 4), None)
    sum(level.mean() for level in maps).backward()  # type: ignore[union-attr]
    assert all(parameter.grad is not None for parameter in encoder.parameters())
    wanted = load_generator(weights_file()).generator.encoder(torch.ones(1, 3, 32, 64))
    for found, level in zip(reversed(load_encoder("bundled")(torch.ones(1, 3, 32, 64))), wanted, strict=True):
        torch.testing.assert_close(found, level)


def test_our_own_names_load_into_our_own_module(tmp_path: Path) -> None:
    assert export_encoder("bundled", "torch", tmp_path / "encoder.pth") == len(
        load_encoder().encoder.state_dict()
    )
    load_encoder().encoder.load_state_dict(torch.load(tmp_path / "encoder.pth", weights_only=True))


def test_what_holds_no_such_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"holds a pyramid encoder, and the benchmark reads ResNet-29"):
        export_encoder("bundled", "dtrb", tmp_path / "out.pth")
    save_recognizer(tmp_path / "crnn.safetensors", Recognizer(PRESETS["crnn"]), {})
    with pytest.raises(WeightsError, match="kind crnn, which has no SimAN encoder"):
        load_encoder(tmp_path / "crnn.safetensors")
    with pytest.raises(WeightsError, match="No weights file"):
        load_encoder(tmp_path / "nothing")
    assert not (tmp_path / "out.pth").exists()


@pytest.mark.slow
def test_what_trba_learned_loads_into_the_published_layout(tmp_path: Path) -> None:
    words = write_words(tmp_path / "words")
    config = load_config(
        RecognizerTrainingConfig,
        "trba",
        ("training.steps=2", "training.batch_size=4", "training.precision='fp32'"),
        resource_folder("recognizers"),
    )
    train_recognizer(config, [TrainingSet(str(words))], tmp_path / "trba", device="cpu", show_progress=False)
    assert export_encoder(tmp_path / "trba", "dtrb", tmp_path / "resnet.pth") == len(published_shapes())
    state = torch.load(tmp_path / "resnet.pth", weights_only=True)
    assert {
        name.removeprefix(DTRB_PREFIX): tuple(tensor.shape) for name, tensor in state.items()
    } == published_shapes()
    trained = load_encoder(tmp_path / "trba").encoder.state_dict()
    assert torch.equal(state[DTRB_PREFIX + "layer1.0.conv1.weight"], trained["layer1.0.first.conv.weight"])
