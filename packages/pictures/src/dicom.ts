// DICOM by a door of its own, so that nobody loads its codecs who does not need them: `@zeuxis/pictures/dicom`.
export * from './dicom/index.js';
