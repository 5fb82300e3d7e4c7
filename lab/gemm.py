"""The GEMM lab as an app: `panel serve lab/gemm.py`."""

import panel as pn

from waferviz.workbench import workbench

pn.extension()
workbench().servable(title="waferviz: four ways to multiply on a mesh")
