// Where pixels lie (PS3.3, C.7.6.2, C.7.6.16 and C.7.6.11), for a grid that became finer. Changes the data set that it is given.

import { type Dataset, element, items, numbers } from './elements.js';
import { TAG } from './tags.js';

/** Millimetres from pixel to pixel. */
const SPACINGS = [TAG.PixelSpacing, TAG.ImagerPixelSpacing, TAG.NominalScannedPixelSpacing];
/** Places on the grid, in pixels. */
const PLACES = [
  TAG.ShutterLeftVerticalEdge,
  TAG.ShutterRightVerticalEdge,
  TAG.ShutterUpperHorizontalEdge,
  TAG.ShutterLowerHorizontalEdge,
  TAG.CenterOfCircularShutter,
  TAG.RadiusOfCircularShutter,
  TAG.VerticesOfThePolygonalShutter,
];

/** Fits positions, spacings and places on the grid to pixels that are `scale` times smaller, within the same outline. */
export function setGeometry(set: Dataset, scale: number): void {
  movePosition(set, set, set, scale);
  for (const tag of SPACINGS) change(set, tag, 'DS', (value) => value / scale);
  for (const tag of PLACES) change(set, tag, 'IS', (value) => Math.round(value * scale));
  setFrameGeometry(set, scale);
}

/** The functional groups of enhanced objects (PS3.3, C.7.6.16): each may be shared by all frames or stand in each. */
function setFrameGeometry(set: Dataset, scale: number): void {
  const shared = items(set, TAG.SharedFunctionalGroupsSequence);
  const groups = [...shared, ...items(set, TAG.PerFrameFunctionalGroupsSequence)];
  for (const group of groups) {
    const nearest = (tag: number) => [group, ...shared].flatMap((one) => items(one, tag))[0];
    const [oriented, measured] = [nearest(TAG.PlaneOrientationSequence), nearest(TAG.PixelMeasuresSequence)];
    for (const position of items(group, TAG.PlanePositionSequence)) movePosition(position, oriented, measured, scale);
  }
  // After all positions, which need the old ones.
  for (const group of groups)
    for (const measures of items(group, TAG.PixelMeasuresSequence)) change(measures, TAG.PixelSpacing, 'DS', (value) => value / scale);
}

/**
 * A position is that of the first pixel's centre (PS3.3, C.7.6.2.1.1): the corner stays where it was, so the centre of a smaller
 * pixel is nearer to it, by half the difference in size along rows (the first three cosines) and columns (the other three).
 */
function movePosition(at: Dataset, oriented: Dataset | undefined, measured: Dataset | undefined, scale: number): void {
  const cosines = oriented ? numbers(oriented, TAG.ImageOrientationPatient) : [];
  const [down, across] = measured ? numbers(measured, TAG.PixelSpacing) : [];
  if (cosines.length !== 6 || !down || !across) return;
  const step = (1 / scale - 1) / 2;
  change(at, TAG.ImagePositionPatient, 'DS', (value, i) => value + step * (across * cosines[i]! + down * cosines[i + 3]!));
}

/** Replaces the numbers of an element, where there is one. */
function change(set: Dataset, tag: number, vr: string, by: (value: number, index: number) => number): void {
  const values = numbers(set, tag);
  if (values.length > 0) set.set(tag, element(vr, ...values.map(by)));
}
