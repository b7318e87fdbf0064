// What DICOM files begin with, apart from what reads them: whoever only asks need not load that.

/** Whether a file has the preamble and magic of PS3.10, 7.1. */
export const hasMagic = (bytes: Uint8Array): boolean => String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM';
