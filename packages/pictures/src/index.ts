// Decoding, data sets and sheets. Nothing here knows networks.
export { type Dataset, type DatasetOptions, FEWEST, openDataset } from './dataset.js';
export type { Fit } from './decode.js';
export { EXTENSION, encodePicture, interleave, PICTURE_FORMATS, type PictureFormat, type Pixels } from './encode.js';
export { UserError } from './errors.js';
export { removeStale, writeFault, writeWhole } from './files.js';
export { resizePlanar } from './resize.js';
export { encodeReportGrid, tileSheet } from './sheet.js';
