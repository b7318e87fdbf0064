// The library, under the name it is published by.
export * from '@zeuxis/verbs';
