"""LoRA against peft, against the merged matrix, and on the modules that the paper names."""

from __future__ import annotations

import copy
import re

import pytest
import torch

from TextPromptSegLib.nn.lora import (
    BERT_TARGETS,
    LoRALinear,
    LowRankUpdate,
    adapt,
    bert_layer,
    bert_updates,
)

PAPER = (
    r"encoder\.layer\.(8|9|10|11)\."
    r"(attention\.self\.(query|key|value)|intermediate\.dense|output\.dense)"
)


def small_bert(layers: int = 3) -> torch.nn.Module:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2}
    config = BertConfig(vocab_size=11, num_hidden_layers=layers, **sizes)
    return BertModel(config, add_pooling_layer=False).eval()


def test_paper_size_has_393216_parameters_on_20_modules() -> None:
    with torch.device("meta"):
        updates = [u for _ in range(4) for _, u in bert_updates(768, 3072, 8, 16.0, 0.1)]
    assert len(updates) == 20
    assert sum(p.numel() for u in updates for p in u.parameters()) == 393_216


def test_the_targets_are_the_modules_of_the_papers_regular_expression() -> None:
    from transformers import BertConfig, BertModel

    with torch.device("meta"):
        bert = BertModel(BertConfig(), add_pooling_layer=False)
    wanted = {name for name, _ in bert.named_modules() if re.fullmatch(PAPER, name)}
    ours = {f"encoder.layer.{n}.{name}" for n in range(8, 12) for name in BERT_TARGETS}
    assert ours == wanted and len(ours) == 20


def test_it_adds_nothing_before_training_and_the_merged_matrix_after() -> None:
    base = torch.nn.Linear(6, 5)
    update = LowRankUpdate(6, 5, 2, 4.0)
    layer, x = LoRALinear(base, update), torch.randn(3, 6)
    assert torch.equal(layer(x), base(x))
    assert not base.weight.requires_grad and update.a.requires_grad
    torch.nn.init.normal_(update.b)
    merged = torch.nn.functional.linear(x, base.weight + update.matrix(), base.bias)
    assert torch.allclose(layer(x), merged, atol=1e-6)
    layer(x).sum().backward()
    assert update.b.grad is not None and base.weight.grad is None


def test_dropout_is_of_the_update_only_and_only_in_training() -> None:
    update = LowRankUpdate(8, 4, 2, 2.0, dropout=1.0)
    torch.nn.init.normal_(update.b)
    assert not update(torch.randn(2, 8)).any()
    assert update.eval()(torch.randn(2, 8)).any()


def test_peft_agrees() -> None:
    peft = pytest.importorskip("peft")
    bert = small_bert()
    ours = copy.deepcopy(bert)
    pattern = PAPER.replace("(8|9|10|11)", "(1|2)")
    config = peft.LoraConfig(r=3, lora_alpha=6, lora_dropout=0.1, target_modules=pattern)
    theirs = peft.get_peft_model(bert, config).eval()
    named = dict(theirs.base_model.model.named_modules())
    for number in (1, 2):
        layer = ours.encoder.layer[number]
        for name, update in bert_updates(16, 24, 3, 6.0, 0.1):
            other = named[f"encoder.layer.{number}.{name}"]
            torch.nn.init.normal_(other.lora_B["default"].weight)
            update.a.data.copy_(other.lora_A["default"].weight)
            update.b.data.copy_(other.lora_B["default"].weight)
            adapt(layer, name, update.eval())
    ids = torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]])
    mask = (ids > 0).long()
    trained = [n for n, p in theirs.named_parameters() if p.requires_grad]
    assert len(trained) == 2 * 5 * 2
    with torch.no_grad():
        expected = theirs(input_ids=ids, attention_mask=mask).last_hidden_state
        got = ours(input_ids=ids, attention_mask=mask).last_hidden_state
    assert torch.allclose(got[mask.bool()], expected[mask.bool()], atol=1e-5)


def test_our_way_through_a_bert_layer_is_that_of_transformers() -> None:
    bert = small_bert()
    ids = torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]])
    mask = ids > 0
    with torch.no_grad():
        states = bert(ids, mask.long(), output_hidden_states=True).hidden_states
        x = states[0]
        for number, layer in enumerate(bert.encoder.layer, 1):
            x = bert_layer(layer, x, mask)
            assert torch.allclose(x[mask], states[number][mask], atol=1e-5)


def test_it_refuses_layers_that_do_not_fit() -> None:
    layer = small_bert(1).encoder.layer[0]
    with pytest.raises(ValueError, match="other sizes"):
        adapt(layer, "output.dense", LowRankUpdate(16, 24, 2, 2.0))
    with pytest.raises(ValueError, match="no linear layer"):
        adapt(layer, "output.LayerNorm", LowRankUpdate(16, 16, 2, 2.0))
