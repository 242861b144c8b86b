"""Module ``SampleData``: follows Slicer/Slicer ``Modules/Scripted/SampleData/SampleData.py``.

Registration, the cache folder and the checksum behave as there; a file is loaded by the storage
node that the reader of the application would use for it.
"""

from __future__ import annotations

import hashlib
import os
import sys
import types
import urllib.request

import slicer


class SampleDataSource:
    def __init__(
        self,
        sampleName=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        checksums=None,
        loadFiles=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFileProperties=None,
    ) -> None:
        if isinstance(uris, str):
            uris, fileNames, nodeNames = [uris], [fileNames], [nodeNames]
            checksums, loadFileTypes = [checksums], [loadFileTypes]
        self.sampleName, self.thumbnailFileName = sampleName, thumbnailFileName
        self.uris, self.fileNames, self.nodeNames = uris, fileNames, nodeNames
        self.checksums, self.loadFileTypes = checksums, loadFileTypes
        counts = {len(v) for v in (uris, fileNames, nodeNames, checksums, loadFileTypes)}
        if len(counts) != 1:
            raise ValueError("All fields of sample data source must have the same length")

    def __eq__(self, other) -> bool:
        return vars(self) == vars(other)


class SampleDataLogic:
    @staticmethod
    def registerCustomSampleDataSource(
        category="Custom",
        sampleName=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFiles=None,
        loadFileProperties=None,
        checksums=None,
        loadFileType=None,
    ) -> None:
        if not hasattr(slicer.modules, "sampleDataSources"):
            slicer.modules.sampleDataSources = {}
        sources = slicer.modules.sampleDataSources.setdefault(category, [])
        source = SampleDataSource(
            sampleName,
            uris,
            fileNames,
            nodeNames,
            checksums,
            loadFiles,
            customDownloader,
            thumbnailFileName,
            loadFileTypes or loadFileType,
            loadFileProperties,
        )
        if source not in sources:
            sources.append(source)

    def sourceForSampleName(self, sampleName):
        sources = [s for group in slicer.modules.sampleDataSources.values() for s in group]
        return next((s for s in sources if s.sampleName == sampleName), None)

    def downloadFromSource(self, source) -> list:
        nodes = []
        for uri, name, node_name, checksum in zip(
            source.uris, source.fileNames, source.nodeNames, source.checksums, strict=True
        ):
            folder = slicer.app.cachePath
            os.makedirs(folder, exist_ok=True)
            path = f"{folder}/{name}"
            urllib.request.urlretrieve(uri, path)
            algorithm, _, digest = checksum.partition(":")
            with open(path, "rb") as stream:
                if hashlib.new(algorithm, stream.read()).hexdigest() != digest:
                    os.remove(path)
                    raise ValueError(f"Checksum verification failed for {name}")
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", node_name)
            storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
            storage.SetFileName(path)
            if not storage.ReadData(node):
                raise ValueError(f"{path} cannot be read")
            nodes.append(node)
        return nodes

    def downloadSample(self, sampleName):
        return self.downloadFromSource(self.sourceForSampleName(sampleName))[0]


def install_sample_data() -> None:
    """Put the module in place."""
    module = types.ModuleType("SampleData")
    module.SampleDataLogic, module.SampleDataSource = SampleDataLogic, SampleDataSource
    module.downloadSample = lambda name: SampleDataLogic().downloadSample(name)
    sys.modules["SampleData"] = module
