// Decoding, data sets and sheets. Nothing here knows networks.
export { type AnimatedFormat, type Animation, animatedFormat, encodeAnimation, readAnimation } from './animation.js';
export { bicubic, lanczos, type Plane, type Samples } from './bicubic.js';
export { type Canvases, type CanvasOptions, openCanvases } from './canvases.js';
export { type OpenedPicture, openPicture } from './claims.js';
export { type Dataset, type DatasetOptions, FEWEST, openDataset } from './dataset.js';




export { decodeSquare, type Fit, type Refused, refusal, refusalOf } from './decode.js';


export { EXTENSION, encodePicture, interleave, PICTURE_FORMATS, type PictureFormat, type Pixels } from './encode.js';
export { UserError } from './errors.js';
export { partOf, removeStale, writeFault, writeWhole } from './files.js';
export { ACRONYMS, languageOf, type MarkLanguage, markLanguage } from './mark-language.js';
export { type Admission, type Denied, type HashedFile, inParallel, type Left, type LeftOut } from './pack.js';
export { type Crop, DEGRADATIONS, type Degradation, openPairs, type Pairs, type PairsOptions } from './pairs.js';
export { bitCount, hashDistance, isTelling, perceptualHash, perceptualHashOf, SIMILAR } from './perceptual-hash.js';
export { LUMA, readPlane } from './plane.js';
export { RASTER_EXTENSION, RASTER_FORMATS, type Raster, type RasterFormat } from './raster.js';
export { MAXIMUM_PIXELS, type ReadOptions, readRaster } from './raster-read.js';
export { type EncodeOptions, encodeRaster, largestSide, requireFits } from './raster-write.js';
export { resizePlanar } from './resize.js';
export { findPictures, hashFile } from './scan.js';
export { encodeReportGrid, tileSheet } from './sheet.js';
export { encodeThumbnail, thumbnailOf } from './thumbnail.js';
export { type MarkOptions, markVisibly, type Region, type VisibleMark } from './visible-mark.js';
export { declaredSource, declareSource } from './xmp.js';
