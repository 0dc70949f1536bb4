"""What PDF/UA-1 and PDF/A-3 ask for beyond what WeasyPrint writes: done to the finished document, before it is serialised.

ISO 14289-1 (PDF/UA-1) 5 and 7.1, 7.2, 7.5; ISO 19005-3 (PDF/A-3) 6.6.2; ISO 32000-1 14.7.2 (IDTree) and 14.8.2.2 (artifacts).
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pydyf

# The claim of PDF/UA-1, and the description PDF/A asks for of a property it does not know itself.
_CLAIM = b"""<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of ISO 14289 the document conforms to</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
</rdf:RDF>"""
_END = b"</rdf:RDF>"


def finish(_document: Any, pdf: pydyf.PDF) -> None:
    """The finisher of :meth:`weasyprint.HTML.write_pdf`."""
    _declare(pdf)
    # Each attachment once; WeasyPrint lists those that are named in the file twice.
    pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))
    elements = [item for item in pdf.objects if isinstance(item, dict) and item.get("Type") == "/StructElem"]
    _lay_out_margins(pdf, elements)
    _name_headers(pdf, elements)
    for element in elements:
        if element.get("S") == "/Sect":
            # The templates mark English beside another language by <section>: of all that HTML says of a language nothing
            # else arrives here. In the tree it is words of a line.
            element |= {"S": "/Span", "Lang": pydyf.String("en")}


def _declare(pdf: pydyf.PDF) -> None:
    """PDF/UA is claimed; the metadata can be read by programs that know nothing of PDF."""
    stream = _at(pdf, pdf.catalog["Metadata"])
    stream.stream = [part.replace(_END, _CLAIM) for part in stream.stream]
    stream.compress = False


def _lay_out_margins(pdf: pydyf.PDF, elements: list[pydyf.Dictionary]) -> None:
    """Running heads and page numbers become artifacts: WeasyPrint tags them and leaves them out of the tree."""
    root = _at(pdf, _at(pdf, pdf.catalog["StructTreeRoot"])["K"][0])
    within = set(root["K"])
    parents = _at(pdf, _at(pdf, pdf.catalog["StructTreeRoot"])["ParentTree"])["Nums"]
    marks: defaultdict[bytes, set[int]] = defaultdict(set)
    for element in elements:
        if element.get("P") == root.reference and element.reference not in within:
            marks[element["Pg"]].update(_cut(pdf, element))
    for page, cut in marks.items():
        row = _at(pdf, page)
        tree = parents[parents.index(row["StructParents"]) + 1]
        for mark in cut:
            tree[mark] = "null"
        _as_artifacts(_at(pdf, row["Contents"]).stream, cut)


def _cut(pdf: pydyf.PDF, element: pydyf.Dictionary) -> Iterator[int]:
    """Empty ``element`` and what is in it; the marked content that it held."""
    kids = list(element.get("K", ()))
    element.clear()
    for kid in kids:
        if isinstance(kid, int):
            yield kid
        else:
            yield from _cut(pdf, _at(pdf, kid))


def _as_artifacts(stream: list[Any], cut: set[int]) -> None:
    for at, part in enumerate(stream):
        if isinstance(part, pydyf.Dictionary) and part.get("MCID") in cut:
            stream[at - 1] = "/Artifact"
            stream[at] = pydyf.Dictionary({"Type": "/Pagination"})


def _name_headers(pdf: pydyf.PDF, elements: list[pydyf.Dictionary]) -> None:
    """Each header cell says what it heads, and can be found by the name that the cells below or beside it give."""
    names = {}
    for element in elements:
        if "ID" in element:
            names[element["ID"].data] = (element["ID"], element.reference)
            row = _at(pdf, _at(pdf, element["P"])["P"])
            element["A"]["Scope"] = "/Column" if row["S"] == "/THead" else "/Row"
    if names:
        tree = pydyf.Dictionary({"Names": pydyf.Array([part for key in sorted(names) for part in names[key]])})
        pdf.add_object(tree)
        _at(pdf, pdf.catalog["StructTreeRoot"])["IDTree"] = tree.reference


def _at(pdf: pydyf.PDF, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]
