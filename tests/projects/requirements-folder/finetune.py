from transformers import Trainer, TrainingArguments

args = TrainingArguments(output_dir="out", torch_compile=True, torch_compile_mode="max-autotune")
trainer = Trainer(args=args)
