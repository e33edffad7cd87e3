"""Words that are drawn with every setting as far as it may go, whatever else a recipe says."""

from dataclasses import replace
from functools import cache

from siman_synth.config import load_config
from siman_synth.resources import resource_folder
from siman_synth.synthesis.config import GenerateConfig

RECIPE = "wide"


def drawn_wide(config: GenerateConfig) -> GenerateConfig:
    """Return the settings with fonts, layouts, damage, noise and JPEG quality of the recipe `wide`.

    Text, styles, limits of aspect, vertical writing and the kind of image are those of `config`.
    """
    wide, own = _recipe(), config.render
    render = replace(
        wide.render,
        vertical=own.vertical,
        vertical_stacked=own.vertical_stacked,
        min_aspect=own.min_aspect,
        max_aspect=own.max_aspect,
    )
    finish = replace(
        config.finish, noise_sigma=wide.finish.noise_sigma, jpeg_quality=wide.finish.jpeg_quality
    )
    return replace(config, render=render, finish=finish)


@cache
def _recipe() -> GenerateConfig:
    return load_config(GenerateConfig, RECIPE, recipe_folder=resource_folder("recipes"))
