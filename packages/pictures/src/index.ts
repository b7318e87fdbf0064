// Decoding, data sets and sheets. Nothing here knows networks.
export { type Dataset, type DatasetOptions, FEWEST, openDataset } from './dataset.js';
export { type Fit } from './decode.js';
export { UserError } from './errors.js';
export { writeFault, writeWhole } from './files.js';
export { encodeReportGrid, type Sheet, tileSheet } from './sheet.js';
