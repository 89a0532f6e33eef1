from setuptools import setup

setup(name="local-tools", version="0.1", py_modules=["local_tools"], install_requires=["click"])
