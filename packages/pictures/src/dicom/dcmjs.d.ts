// dcmjs ships no types. All that is used of it is its dictionary (PS3.6), by '(GGGG,EEEE)'.
declare module 'dcmjs/dictionary' {
  const dictionary: Record<string, { vr: string } | undefined>;
  export default dictionary;
}
