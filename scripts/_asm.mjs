import { readFileSync, mkdirSync } from 'node:fs'; import { execFileSync } from 'node:child_process';
import { defineStyle, styleModel } from '@zeuxis/nets'; import { readOnnx } from '@zeuxis/graph'; import { writeWhole } from '@zeuxis/pictures';
import { readCheckpoint } from '../packages/verbs/dist/train/checkpoint.js';
const [name,source,json]=process.argv.slice(2); const net=defineStyle(); let w;
if (source.startsWith('npz:')) { execFileSync('/usr/bin/python3',['-c',`
import numpy as np,json,sys
z=np.load('runs/gpu-styles/${source.slice(4)}.npz'); names=json.loads(sys.argv[1])
np.concatenate([z[n].astype('float32').ravel() for n in names]).tofile('/tmp/_w.bin')`,JSON.stringify(net.table.map(t=>t.name))]); w=new Float32Array(new Uint8Array(readFileSync('/tmp/_w.bin')).buffer); }
else w=(await readCheckpoint(source,'style')).state.vectors.average;
const {metadata}=readOnnx(readFileSync(`runs/card-${name}/model.onnx`));
const card={...JSON.parse(metadata['zeuxis.card']),...JSON.parse(json),name};
mkdirSync(`runs/final-${name}`,{recursive:true});
await writeWhole(`runs/final-${name}/model.onnx`,styleModel(net,w,{'zeuxis.card':JSON.stringify(card)}));
console.log(name,card.content.pictures,card.trainingSet.rights);
