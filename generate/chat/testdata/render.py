"""What transformers renders of cases.json with the templates beside this file: rendered.json. Made with transformers 5.24.0.

The templates are those of the models' tokenizer_config.json: llama3.jinja and llama3_1.jinja (Meta Llama 3, 3.1), qwen3.jinja
(Qwen3), gemma3.jinja (Gemma 3), smollm2.jinja (SmolLM2-135M-Instruct), mistral.jinja (Mistral 7B Instruct); marked.jinja and
python.jinja are this folder's own.
"""

import json
import os

from transformers.utils.chat_template_utils import render_jinja_template

HERE = os.path.dirname(os.path.abspath(__file__))


def render(case):
    with open(os.path.join(HERE, case["template"] + ".jinja")) as f:
        template = f.read()
    settings = {**case.get("special", {}), **case.get("variables", {})}
    try:
        texts, spans = render_jinja_template(
            conversations=[case["messages"]],
            tools=case.get("tools"),
            chat_template=template,
            add_generation_prompt=case.get("add_generation_prompt", False),
            return_assistant_tokens_mask="generation" in template,
            **settings,
        )
    except Exception as problem:  # what a template raises
        return {"error": str(problem)}
    out = {"text": texts[0]}
    if spans and spans[0]:
        out["generated"] = [texts[0][a:b] for a, b in spans[0]]
    return out


def main():
    with open(os.path.join(HERE, "cases.json")) as f:
        cases = json.load(f)
    with open(os.path.join(HERE, "rendered.json"), "w") as f:
        json.dump([render(case) for case in cases], f, indent=1, ensure_ascii=False)
        f.write("\n")


if __name__ == "__main__":
    main()
