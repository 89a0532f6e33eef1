from setuptools import setup

setup(name="common", version="0", install_requires=["numpy"])
