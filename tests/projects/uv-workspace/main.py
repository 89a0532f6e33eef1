import lab_models
import typer

typer.run(lambda: print(lab_models.fit))
