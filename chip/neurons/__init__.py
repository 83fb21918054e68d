"""Neuron models, one file each. A file with a `MODEL` in this folder is a model; nothing else lists it.

`MODELS` maps names to models, `STEPS` holds their kernels in the order of `MODEL_NUMBER`. Start reading at
`chip.neurons.model`, then `chip.neurons.lif_curr_exp`.
"""

from __future__ import annotations

import importlib
import pkgutil

from chip.neurons.model import Lowered, NeuronModel, Parameter, Receptor, State

MODELS: dict[str, NeuronModel] = {
    module.MODEL.name: module.MODEL
    for module in (
        importlib.import_module(f"{__name__}.{info.name}")
        for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name)
    )
    if hasattr(module, "MODEL")
}
MODEL_NUMBER: dict[str, int] = {name: number for number, name in enumerate(MODELS)}
STEPS = tuple(model.step for model in MODELS.values())

__all__ = ["MODELS", "MODEL_NUMBER", "STEPS", "Lowered", "NeuronModel", "Parameter", "Receptor", "State"]
