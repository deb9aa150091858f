import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';
const lazy = process.argv[2] ? new RegExp(process.argv[2]) : /^$/;
const extra = process.argv.slice(3).map(f=>`export * from ${JSON.stringify(f)};`).join('');
const r = await build({ stdin:{contents:`export * from './src/hosts/web/index.ts';${extra}`,resolveDir:process.cwd()}, bundle:true, minify:true, format:'esm', target:'es2023', write:false, metafile:true, conditions:['browser'], outdir:'x', absWorkingDir: process.cwd(),
 plugins:[{name:'lazy',setup(b){ b.onResolve({filter:/.*/},a=>{ if(a.kind==='import-statement' && lazy.test(a.path)) return {path:'z',namespace:'z'}; }); b.onLoad({filter:/.*/,namespace:'z'},()=>({contents:'export {}; export const Admin=0,TwinKernels=0,packLz4=0,unpackLz4=0,packSnappy=0,unpackSnappy=0,lz4=0,snappy=0,zstd=0,gzip=0;'}));}}] });
for (const f of r.outputFiles) console.log(f.contents.length, gzipSync(f.contents,{level:9}).length);
