"""What skl2onnx asks an estimator for: it then converts Pipelines that have it."""


class OnnxConvertible:
    """Base of estimators that skl2onnx converts, with no converter to be registered.

    It looks for these three methods before it looks into its own tables, which know
    classes but no subclasses. A subclass has a method ``_onnx_parts``, which returns a
    dict of :class:`Part` by name, the first of them for Pipelines.
    """

    def onnx_parser(self):
        """For skl2onnx: what declares this estimator's outputs in a Pipeline's graph.

        Returns
        -------
        parser : callable
        """
        from skae._onnx.converters import parser

        return parser(self)

    def onnx_shape_calculator(self):
        """For skl2onnx: what sets types and shapes of this estimator's outputs.

        Returns
        -------
        calculator : callable
        """
        from skae._onnx.converters import set_shapes

        return set_shapes

    def onnx_converter(self):
        """For skl2onnx: what adds this estimator to a Pipeline's graph.

        Returns
        -------
        converter : callable
        """
        from skae._onnx.converters import convert

        return convert
