// DICOM in, DICOM out (PS3.3, PS3.5, PS3.10): pictures as stored values, and derived objects that say what they are.
export { type Derivation, writeDerived } from './derive.js';
export { type DicomPicture, isDicom, readDicom } from './read.js';
