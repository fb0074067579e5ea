// SPDX-License-Identifier: Apache-2.0
// Written by scripts/generate-validators.ts; change the schemas, not this file.
// biome-ignore-all lint: generated
// biome-ignore-all format: generated
// @ts-nocheck

export const validateManifest = validate10;
const schema11 = {"type":"object","required":["schemaVersion","config","layers"],"properties":{"schemaVersion":{"enum":[2]},"mediaType":{"type":"string","pattern":"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"},"config":{"type":"object","required":["mediaType","digest","size"],"properties":{"mediaType":{"type":"string","pattern":"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"},"digest":{"type":"string","pattern":"^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"},"size":{"type":"integer","minimum":0,"maximum":9007199254740991},"urls":{"type":["array","null"],"items":{"type":"string"},"maxItems":64},"annotations":{"type":["object","null"],"additionalProperties":{"type":"string"}},"platform":{"type":"object","required":["os","architecture"],"properties":{"os":{"type":"string"},"architecture":{"type":"string"},"variant":{"type":"string"}}}}},"layers":{"type":"array","items":{"type":"object","required":["mediaType","digest","size"],"properties":{"mediaType":{"type":"string","pattern":"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"},"digest":{"type":"string","pattern":"^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"},"size":{"type":"integer","minimum":0,"maximum":9007199254740991},"urls":{"type":["array","null"],"items":{"type":"string"},"maxItems":64},"annotations":{"type":["object","null"],"additionalProperties":{"type":"string"}},"platform":{"type":"object","required":["os","architecture"],"properties":{"os":{"type":"string"},"architecture":{"type":"string"},"variant":{"type":"string"}}}}},"maxItems":512},"annotations":{"type":["object","null"],"additionalProperties":{"type":"string"}}},"$id":"validateManifest"};
const pattern0 = new RegExp("^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$", "u");
const pattern2 = new RegExp("^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$", "u");

function validate10(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
/*# sourceURL="validateManifest" */;
let vErrors = null;
let errors = 0;
if(errors === 0){
if(data && typeof data == "object" && !Array.isArray(data)){
let missing0;
if((((data.schemaVersion === undefined) && (missing0 = "schemaVersion")) || ((data.config === undefined) && (missing0 = "config"))) || ((data.layers === undefined) && (missing0 = "layers"))){
validate10.errors = [{instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: missing0},message:"must have required property '"+missing0+"'"}];
return false;
}
else {
if(data.schemaVersion !== undefined){
const _errs1 = errors;
if(!(data.schemaVersion === 2)){
validate10.errors = [{instancePath:instancePath+"/schemaVersion",schemaPath:"#/properties/schemaVersion/enum",keyword:"enum",params:{allowedValues: schema11.properties.schemaVersion.enum},message:"must be equal to one of the allowed values"}];
return false;
}
var valid0 = _errs1 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.mediaType !== undefined){
let data1 = data.mediaType;
const _errs2 = errors;
if(errors === _errs2){
if(typeof data1 === "string"){
if(!pattern0.test(data1)){
validate10.errors = [{instancePath:instancePath+"/mediaType",schemaPath:"#/properties/mediaType/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/mediaType",schemaPath:"#/properties/mediaType/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid0 = _errs2 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.config !== undefined){
let data2 = data.config;
const _errs4 = errors;
if(errors === _errs4){
if(data2 && typeof data2 == "object" && !Array.isArray(data2)){
let missing1;
if((((data2.mediaType === undefined) && (missing1 = "mediaType")) || ((data2.digest === undefined) && (missing1 = "digest"))) || ((data2.size === undefined) && (missing1 = "size"))){
validate10.errors = [{instancePath:instancePath+"/config",schemaPath:"#/properties/config/required",keyword:"required",params:{missingProperty: missing1},message:"must have required property '"+missing1+"'"}];
return false;
}
else {
if(data2.mediaType !== undefined){
let data3 = data2.mediaType;
const _errs6 = errors;
if(errors === _errs6){
if(typeof data3 === "string"){
if(!pattern0.test(data3)){
validate10.errors = [{instancePath:instancePath+"/config/mediaType",schemaPath:"#/properties/config/properties/mediaType/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/config/mediaType",schemaPath:"#/properties/config/properties/mediaType/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid1 = _errs6 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data2.digest !== undefined){
let data4 = data2.digest;
const _errs8 = errors;
if(errors === _errs8){
if(typeof data4 === "string"){
if(!pattern2.test(data4)){
validate10.errors = [{instancePath:instancePath+"/config/digest",schemaPath:"#/properties/config/properties/digest/pattern",keyword:"pattern",params:{pattern: "^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"},message:"must match pattern \""+"^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/config/digest",schemaPath:"#/properties/config/properties/digest/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid1 = _errs8 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data2.size !== undefined){
let data5 = data2.size;
const _errs10 = errors;
if(!(((typeof data5 == "number") && (!(data5 % 1) && !isNaN(data5))) && (isFinite(data5)))){
validate10.errors = [{instancePath:instancePath+"/config/size",schemaPath:"#/properties/config/properties/size/type",keyword:"type",params:{type: "integer"},message:"must be integer"}];
return false;
}
if(errors === _errs10){
if((typeof data5 == "number") && (isFinite(data5))){
if(data5 > 9007199254740991 || isNaN(data5)){
validate10.errors = [{instancePath:instancePath+"/config/size",schemaPath:"#/properties/config/properties/size/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991},message:"must be <= 9007199254740991"}];
return false;
}
else {
if(data5 < 0 || isNaN(data5)){
validate10.errors = [{instancePath:instancePath+"/config/size",schemaPath:"#/properties/config/properties/size/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"}];
return false;
}
}
}
}
var valid1 = _errs10 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data2.urls !== undefined){
let data6 = data2.urls;
const _errs12 = errors;
if((!(Array.isArray(data6))) && (data6 !== null)){
validate10.errors = [{instancePath:instancePath+"/config/urls",schemaPath:"#/properties/config/properties/urls/type",keyword:"type",params:{type: schema11.properties.config.properties.urls.type},message:"must be array,null"}];
return false;
}
if(errors === _errs12){
if(Array.isArray(data6)){
if(data6.length > 64){
validate10.errors = [{instancePath:instancePath+"/config/urls",schemaPath:"#/properties/config/properties/urls/maxItems",keyword:"maxItems",params:{limit: 64},message:"must NOT have more than 64 items"}];
return false;
}
else {
var valid2 = true;
const len0 = data6.length;
for(let i0=0; i0<len0; i0++){
const _errs14 = errors;
if(typeof data6[i0] !== "string"){
validate10.errors = [{instancePath:instancePath+"/config/urls/" + i0,schemaPath:"#/properties/config/properties/urls/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid2 = _errs14 === errors;
if(!valid2){
break;
}
}
}
}
}
var valid1 = _errs12 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data2.annotations !== undefined){
let data8 = data2.annotations;
const _errs16 = errors;
if((!(data8 && typeof data8 == "object" && !Array.isArray(data8))) && (data8 !== null)){
validate10.errors = [{instancePath:instancePath+"/config/annotations",schemaPath:"#/properties/config/properties/annotations/type",keyword:"type",params:{type: schema11.properties.config.properties.annotations.type},message:"must be object,null"}];
return false;
}
if(errors === _errs16){
if(data8 && typeof data8 == "object" && !Array.isArray(data8)){
for(const key0 in data8){
const _errs19 = errors;
if(typeof data8[key0] !== "string"){
validate10.errors = [{instancePath:instancePath+"/config/annotations/" + key0.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/config/properties/annotations/additionalProperties/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid3 = _errs19 === errors;
if(!valid3){
break;
}
}
}
}
var valid1 = _errs16 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data2.platform !== undefined){
let data10 = data2.platform;
const _errs21 = errors;
if(errors === _errs21){
if(data10 && typeof data10 == "object" && !Array.isArray(data10)){
let missing2;
if(((data10.os === undefined) && (missing2 = "os")) || ((data10.architecture === undefined) && (missing2 = "architecture"))){
validate10.errors = [{instancePath:instancePath+"/config/platform",schemaPath:"#/properties/config/properties/platform/required",keyword:"required",params:{missingProperty: missing2},message:"must have required property '"+missing2+"'"}];
return false;
}
else {
if(data10.os !== undefined){
const _errs23 = errors;
if(typeof data10.os !== "string"){
validate10.errors = [{instancePath:instancePath+"/config/platform/os",schemaPath:"#/properties/config/properties/platform/properties/os/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid4 = _errs23 === errors;
}
else {
var valid4 = true;
}
if(valid4){
if(data10.architecture !== undefined){
const _errs25 = errors;
if(typeof data10.architecture !== "string"){
validate10.errors = [{instancePath:instancePath+"/config/platform/architecture",schemaPath:"#/properties/config/properties/platform/properties/architecture/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid4 = _errs25 === errors;
}
else {
var valid4 = true;
}
if(valid4){
if(data10.variant !== undefined){
const _errs27 = errors;
if(typeof data10.variant !== "string"){
validate10.errors = [{instancePath:instancePath+"/config/platform/variant",schemaPath:"#/properties/config/properties/platform/properties/variant/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid4 = _errs27 === errors;
}
else {
var valid4 = true;
}
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/config/platform",schemaPath:"#/properties/config/properties/platform/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid1 = _errs21 === errors;
}
else {
var valid1 = true;
}
}
}
}
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/config",schemaPath:"#/properties/config/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid0 = _errs4 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.layers !== undefined){
let data14 = data.layers;
const _errs29 = errors;
if(errors === _errs29){
if(Array.isArray(data14)){
if(data14.length > 512){
validate10.errors = [{instancePath:instancePath+"/layers",schemaPath:"#/properties/layers/maxItems",keyword:"maxItems",params:{limit: 512},message:"must NOT have more than 512 items"}];
return false;
}
else {
var valid5 = true;
const len1 = data14.length;
for(let i1=0; i1<len1; i1++){
let data15 = data14[i1];
const _errs31 = errors;
if(errors === _errs31){
if(data15 && typeof data15 == "object" && !Array.isArray(data15)){
let missing3;
if((((data15.mediaType === undefined) && (missing3 = "mediaType")) || ((data15.digest === undefined) && (missing3 = "digest"))) || ((data15.size === undefined) && (missing3 = "size"))){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1,schemaPath:"#/properties/layers/items/required",keyword:"required",params:{missingProperty: missing3},message:"must have required property '"+missing3+"'"}];
return false;
}
else {
if(data15.mediaType !== undefined){
let data16 = data15.mediaType;
const _errs33 = errors;
if(errors === _errs33){
if(typeof data16 === "string"){
if(!pattern0.test(data16)){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/mediaType",schemaPath:"#/properties/layers/items/properties/mediaType/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/mediaType",schemaPath:"#/properties/layers/items/properties/mediaType/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid6 = _errs33 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data15.digest !== undefined){
let data17 = data15.digest;
const _errs35 = errors;
if(errors === _errs35){
if(typeof data17 === "string"){
if(!pattern2.test(data17)){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/digest",schemaPath:"#/properties/layers/items/properties/digest/pattern",keyword:"pattern",params:{pattern: "^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"},message:"must match pattern \""+"^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/digest",schemaPath:"#/properties/layers/items/properties/digest/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid6 = _errs35 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data15.size !== undefined){
let data18 = data15.size;
const _errs37 = errors;
if(!(((typeof data18 == "number") && (!(data18 % 1) && !isNaN(data18))) && (isFinite(data18)))){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/size",schemaPath:"#/properties/layers/items/properties/size/type",keyword:"type",params:{type: "integer"},message:"must be integer"}];
return false;
}
if(errors === _errs37){
if((typeof data18 == "number") && (isFinite(data18))){
if(data18 > 9007199254740991 || isNaN(data18)){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/size",schemaPath:"#/properties/layers/items/properties/size/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991},message:"must be <= 9007199254740991"}];
return false;
}
else {
if(data18 < 0 || isNaN(data18)){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/size",schemaPath:"#/properties/layers/items/properties/size/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"}];
return false;
}
}
}
}
var valid6 = _errs37 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data15.urls !== undefined){
let data19 = data15.urls;
const _errs39 = errors;
if((!(Array.isArray(data19))) && (data19 !== null)){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/urls",schemaPath:"#/properties/layers/items/properties/urls/type",keyword:"type",params:{type: schema11.properties.layers.items.properties.urls.type},message:"must be array,null"}];
return false;
}
if(errors === _errs39){
if(Array.isArray(data19)){
if(data19.length > 64){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/urls",schemaPath:"#/properties/layers/items/properties/urls/maxItems",keyword:"maxItems",params:{limit: 64},message:"must NOT have more than 64 items"}];
return false;
}
else {
var valid7 = true;
const len2 = data19.length;
for(let i2=0; i2<len2; i2++){
const _errs41 = errors;
if(typeof data19[i2] !== "string"){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/urls/" + i2,schemaPath:"#/properties/layers/items/properties/urls/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid7 = _errs41 === errors;
if(!valid7){
break;
}
}
}
}
}
var valid6 = _errs39 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data15.annotations !== undefined){
let data21 = data15.annotations;
const _errs43 = errors;
if((!(data21 && typeof data21 == "object" && !Array.isArray(data21))) && (data21 !== null)){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/annotations",schemaPath:"#/properties/layers/items/properties/annotations/type",keyword:"type",params:{type: schema11.properties.layers.items.properties.annotations.type},message:"must be object,null"}];
return false;
}
if(errors === _errs43){
if(data21 && typeof data21 == "object" && !Array.isArray(data21)){
for(const key1 in data21){
const _errs46 = errors;
if(typeof data21[key1] !== "string"){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/annotations/" + key1.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/layers/items/properties/annotations/additionalProperties/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid8 = _errs46 === errors;
if(!valid8){
break;
}
}
}
}
var valid6 = _errs43 === errors;
}
else {
var valid6 = true;
}
if(valid6){
if(data15.platform !== undefined){
let data23 = data15.platform;
const _errs48 = errors;
if(errors === _errs48){
if(data23 && typeof data23 == "object" && !Array.isArray(data23)){
let missing4;
if(((data23.os === undefined) && (missing4 = "os")) || ((data23.architecture === undefined) && (missing4 = "architecture"))){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/platform",schemaPath:"#/properties/layers/items/properties/platform/required",keyword:"required",params:{missingProperty: missing4},message:"must have required property '"+missing4+"'"}];
return false;
}
else {
if(data23.os !== undefined){
const _errs50 = errors;
if(typeof data23.os !== "string"){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/platform/os",schemaPath:"#/properties/layers/items/properties/platform/properties/os/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid9 = _errs50 === errors;
}
else {
var valid9 = true;
}
if(valid9){
if(data23.architecture !== undefined){
const _errs52 = errors;
if(typeof data23.architecture !== "string"){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/platform/architecture",schemaPath:"#/properties/layers/items/properties/platform/properties/architecture/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid9 = _errs52 === errors;
}
else {
var valid9 = true;
}
if(valid9){
if(data23.variant !== undefined){
const _errs54 = errors;
if(typeof data23.variant !== "string"){
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/platform/variant",schemaPath:"#/properties/layers/items/properties/platform/properties/variant/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid9 = _errs54 === errors;
}
else {
var valid9 = true;
}
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/layers/" + i1+"/platform",schemaPath:"#/properties/layers/items/properties/platform/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid6 = _errs48 === errors;
}
else {
var valid6 = true;
}
}
}
}
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/layers/" + i1,schemaPath:"#/properties/layers/items/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid5 = _errs31 === errors;
if(!valid5){
break;
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/layers",schemaPath:"#/properties/layers/type",keyword:"type",params:{type: "array"},message:"must be array"}];
return false;
}
}
var valid0 = _errs29 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.annotations !== undefined){
let data27 = data.annotations;
const _errs56 = errors;
if((!(data27 && typeof data27 == "object" && !Array.isArray(data27))) && (data27 !== null)){
validate10.errors = [{instancePath:instancePath+"/annotations",schemaPath:"#/properties/annotations/type",keyword:"type",params:{type: schema11.properties.annotations.type},message:"must be object,null"}];
return false;
}
if(errors === _errs56){
if(data27 && typeof data27 == "object" && !Array.isArray(data27)){
for(const key2 in data27){
const _errs59 = errors;
if(typeof data27[key2] !== "string"){
validate10.errors = [{instancePath:instancePath+"/annotations/" + key2.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/annotations/additionalProperties/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid10 = _errs59 === errors;
if(!valid10){
break;
}
}
}
}
var valid0 = _errs56 === errors;
}
else {
var valid0 = true;
}
}
}
}
}
}
}
else {
validate10.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
validate10.errors = vErrors;
return errors === 0;
}

export const validateIndex = validate11;
const schema12 = {"type":"object","required":["schemaVersion","manifests"],"properties":{"schemaVersion":{"enum":[2]},"mediaType":{"type":"string","pattern":"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"},"manifests":{"type":"array","items":{"type":"object","required":["mediaType","digest","size"],"properties":{"mediaType":{"type":"string","pattern":"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"},"digest":{"type":"string","pattern":"^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"},"size":{"type":"integer","minimum":0,"maximum":9007199254740991},"urls":{"type":["array","null"],"items":{"type":"string"},"maxItems":64},"annotations":{"type":["object","null"],"additionalProperties":{"type":"string"}},"platform":{"type":"object","required":["os","architecture"],"properties":{"os":{"type":"string"},"architecture":{"type":"string"},"variant":{"type":"string"}}}}},"maxItems":4096},"annotations":{"type":["object","null"],"additionalProperties":{"type":"string"}}},"$id":"validateIndex"};

function validate11(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
/*# sourceURL="validateIndex" */;
let vErrors = null;
let errors = 0;
if(errors === 0){
if(data && typeof data == "object" && !Array.isArray(data)){
let missing0;
if(((data.schemaVersion === undefined) && (missing0 = "schemaVersion")) || ((data.manifests === undefined) && (missing0 = "manifests"))){
validate11.errors = [{instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: missing0},message:"must have required property '"+missing0+"'"}];
return false;
}
else {
if(data.schemaVersion !== undefined){
const _errs1 = errors;
if(!(data.schemaVersion === 2)){
validate11.errors = [{instancePath:instancePath+"/schemaVersion",schemaPath:"#/properties/schemaVersion/enum",keyword:"enum",params:{allowedValues: schema12.properties.schemaVersion.enum},message:"must be equal to one of the allowed values"}];
return false;
}
var valid0 = _errs1 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.mediaType !== undefined){
let data1 = data.mediaType;
const _errs2 = errors;
if(errors === _errs2){
if(typeof data1 === "string"){
if(!pattern0.test(data1)){
validate11.errors = [{instancePath:instancePath+"/mediaType",schemaPath:"#/properties/mediaType/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"+"\""}];
return false;
}
}
else {
validate11.errors = [{instancePath:instancePath+"/mediaType",schemaPath:"#/properties/mediaType/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid0 = _errs2 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.manifests !== undefined){
let data2 = data.manifests;
const _errs4 = errors;
if(errors === _errs4){
if(Array.isArray(data2)){
if(data2.length > 4096){
validate11.errors = [{instancePath:instancePath+"/manifests",schemaPath:"#/properties/manifests/maxItems",keyword:"maxItems",params:{limit: 4096},message:"must NOT have more than 4096 items"}];
return false;
}
else {
var valid1 = true;
const len0 = data2.length;
for(let i0=0; i0<len0; i0++){
let data3 = data2[i0];
const _errs6 = errors;
if(errors === _errs6){
if(data3 && typeof data3 == "object" && !Array.isArray(data3)){
let missing1;
if((((data3.mediaType === undefined) && (missing1 = "mediaType")) || ((data3.digest === undefined) && (missing1 = "digest"))) || ((data3.size === undefined) && (missing1 = "size"))){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0,schemaPath:"#/properties/manifests/items/required",keyword:"required",params:{missingProperty: missing1},message:"must have required property '"+missing1+"'"}];
return false;
}
else {
if(data3.mediaType !== undefined){
let data4 = data3.mediaType;
const _errs8 = errors;
if(errors === _errs8){
if(typeof data4 === "string"){
if(!pattern0.test(data4)){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/mediaType",schemaPath:"#/properties/manifests/items/properties/mediaType/pattern",keyword:"pattern",params:{pattern: "^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"},message:"must match pattern \""+"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"+"\""}];
return false;
}
}
else {
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/mediaType",schemaPath:"#/properties/manifests/items/properties/mediaType/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid2 = _errs8 === errors;
}
else {
var valid2 = true;
}
if(valid2){
if(data3.digest !== undefined){
let data5 = data3.digest;
const _errs10 = errors;
if(errors === _errs10){
if(typeof data5 === "string"){
if(!pattern2.test(data5)){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/digest",schemaPath:"#/properties/manifests/items/properties/digest/pattern",keyword:"pattern",params:{pattern: "^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"},message:"must match pattern \""+"^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"+"\""}];
return false;
}
}
else {
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/digest",schemaPath:"#/properties/manifests/items/properties/digest/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid2 = _errs10 === errors;
}
else {
var valid2 = true;
}
if(valid2){
if(data3.size !== undefined){
let data6 = data3.size;
const _errs12 = errors;
if(!(((typeof data6 == "number") && (!(data6 % 1) && !isNaN(data6))) && (isFinite(data6)))){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/size",schemaPath:"#/properties/manifests/items/properties/size/type",keyword:"type",params:{type: "integer"},message:"must be integer"}];
return false;
}
if(errors === _errs12){
if((typeof data6 == "number") && (isFinite(data6))){
if(data6 > 9007199254740991 || isNaN(data6)){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/size",schemaPath:"#/properties/manifests/items/properties/size/maximum",keyword:"maximum",params:{comparison: "<=", limit: 9007199254740991},message:"must be <= 9007199254740991"}];
return false;
}
else {
if(data6 < 0 || isNaN(data6)){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/size",schemaPath:"#/properties/manifests/items/properties/size/minimum",keyword:"minimum",params:{comparison: ">=", limit: 0},message:"must be >= 0"}];
return false;
}
}
}
}
var valid2 = _errs12 === errors;
}
else {
var valid2 = true;
}
if(valid2){
if(data3.urls !== undefined){
let data7 = data3.urls;
const _errs14 = errors;
if((!(Array.isArray(data7))) && (data7 !== null)){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/urls",schemaPath:"#/properties/manifests/items/properties/urls/type",keyword:"type",params:{type: schema12.properties.manifests.items.properties.urls.type},message:"must be array,null"}];
return false;
}
if(errors === _errs14){
if(Array.isArray(data7)){
if(data7.length > 64){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/urls",schemaPath:"#/properties/manifests/items/properties/urls/maxItems",keyword:"maxItems",params:{limit: 64},message:"must NOT have more than 64 items"}];
return false;
}
else {
var valid3 = true;
const len1 = data7.length;
for(let i1=0; i1<len1; i1++){
const _errs16 = errors;
if(typeof data7[i1] !== "string"){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/urls/" + i1,schemaPath:"#/properties/manifests/items/properties/urls/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid3 = _errs16 === errors;
if(!valid3){
break;
}
}
}
}
}
var valid2 = _errs14 === errors;
}
else {
var valid2 = true;
}
if(valid2){
if(data3.annotations !== undefined){
let data9 = data3.annotations;
const _errs18 = errors;
if((!(data9 && typeof data9 == "object" && !Array.isArray(data9))) && (data9 !== null)){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/annotations",schemaPath:"#/properties/manifests/items/properties/annotations/type",keyword:"type",params:{type: schema12.properties.manifests.items.properties.annotations.type},message:"must be object,null"}];
return false;
}
if(errors === _errs18){
if(data9 && typeof data9 == "object" && !Array.isArray(data9)){
for(const key0 in data9){
const _errs21 = errors;
if(typeof data9[key0] !== "string"){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/annotations/" + key0.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/manifests/items/properties/annotations/additionalProperties/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid4 = _errs21 === errors;
if(!valid4){
break;
}
}
}
}
var valid2 = _errs18 === errors;
}
else {
var valid2 = true;
}
if(valid2){
if(data3.platform !== undefined){
let data11 = data3.platform;
const _errs23 = errors;
if(errors === _errs23){
if(data11 && typeof data11 == "object" && !Array.isArray(data11)){
let missing2;
if(((data11.os === undefined) && (missing2 = "os")) || ((data11.architecture === undefined) && (missing2 = "architecture"))){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/platform",schemaPath:"#/properties/manifests/items/properties/platform/required",keyword:"required",params:{missingProperty: missing2},message:"must have required property '"+missing2+"'"}];
return false;
}
else {
if(data11.os !== undefined){
const _errs25 = errors;
if(typeof data11.os !== "string"){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/platform/os",schemaPath:"#/properties/manifests/items/properties/platform/properties/os/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid5 = _errs25 === errors;
}
else {
var valid5 = true;
}
if(valid5){
if(data11.architecture !== undefined){
const _errs27 = errors;
if(typeof data11.architecture !== "string"){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/platform/architecture",schemaPath:"#/properties/manifests/items/properties/platform/properties/architecture/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid5 = _errs27 === errors;
}
else {
var valid5 = true;
}
if(valid5){
if(data11.variant !== undefined){
const _errs29 = errors;
if(typeof data11.variant !== "string"){
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/platform/variant",schemaPath:"#/properties/manifests/items/properties/platform/properties/variant/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid5 = _errs29 === errors;
}
else {
var valid5 = true;
}
}
}
}
}
else {
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0+"/platform",schemaPath:"#/properties/manifests/items/properties/platform/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid2 = _errs23 === errors;
}
else {
var valid2 = true;
}
}
}
}
}
}
}
}
else {
validate11.errors = [{instancePath:instancePath+"/manifests/" + i0,schemaPath:"#/properties/manifests/items/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid1 = _errs6 === errors;
if(!valid1){
break;
}
}
}
}
else {
validate11.errors = [{instancePath:instancePath+"/manifests",schemaPath:"#/properties/manifests/type",keyword:"type",params:{type: "array"},message:"must be array"}];
return false;
}
}
var valid0 = _errs4 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.annotations !== undefined){
let data15 = data.annotations;
const _errs31 = errors;
if((!(data15 && typeof data15 == "object" && !Array.isArray(data15))) && (data15 !== null)){
validate11.errors = [{instancePath:instancePath+"/annotations",schemaPath:"#/properties/annotations/type",keyword:"type",params:{type: schema12.properties.annotations.type},message:"must be object,null"}];
return false;
}
if(errors === _errs31){
if(data15 && typeof data15 == "object" && !Array.isArray(data15)){
for(const key1 in data15){
const _errs34 = errors;
if(typeof data15[key1] !== "string"){
validate11.errors = [{instancePath:instancePath+"/annotations/" + key1.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/annotations/additionalProperties/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid6 = _errs34 === errors;
if(!valid6){
break;
}
}
}
}
var valid0 = _errs31 === errors;
}
else {
var valid0 = true;
}
}
}
}
}
}
else {
validate11.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
validate11.errors = vErrors;
return errors === 0;
}

export const validateConfig = validate12;
const schema13 = {"type":"object","required":["architecture","os","rootfs"],"properties":{"created":{"type":["string","null"]},"author":{"type":"string"},"architecture":{"type":"string"},"os":{"type":"string"},"variant":{"type":"string"},"config":{"type":["object","null"],"properties":{"User":{"type":"string"},"ExposedPorts":{"type":["object","null"],"additionalProperties":{"type":["object","null"]}},"Env":{"type":["array","null"],"items":{"type":"string"}},"Entrypoint":{"type":["array","null"],"items":{"type":"string"}},"Cmd":{"type":["array","null"],"items":{"type":"string"}},"Volumes":{"type":["object","null"],"additionalProperties":{"type":["object","null"]}},"WorkingDir":{"type":"string"},"Labels":{"type":["object","null"],"additionalProperties":{"type":"string"}},"StopSignal":{"type":"string"},"Shell":{"type":["array","null"],"items":{"type":"string"}},"Healthcheck":{"type":["object","null"],"properties":{"Test":{"type":["array","null"],"items":{"type":"string"}},"Interval":{"type":"integer"},"Timeout":{"type":"integer"},"StartPeriod":{"type":"integer"},"StartInterval":{"type":"integer"},"Retries":{"type":"integer"}}}}},"rootfs":{"type":"object","required":["type"],"properties":{"type":{"enum":["layers"]},"diff_ids":{"type":["array","null"],"items":{"type":"string","pattern":"^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"},"maxItems":512}}},"history":{"type":["array","null"],"items":{"type":"object","properties":{"created":{"type":["string","null"]},"created_by":{"type":"string"},"author":{"type":"string"},"comment":{"type":"string"},"empty_layer":{"type":"boolean"}}}}},"$id":"validateConfig"};

function validate12(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
/*# sourceURL="validateConfig" */;
let vErrors = null;
let errors = 0;
if(errors === 0){
if(data && typeof data == "object" && !Array.isArray(data)){
let missing0;
if((((data.architecture === undefined) && (missing0 = "architecture")) || ((data.os === undefined) && (missing0 = "os"))) || ((data.rootfs === undefined) && (missing0 = "rootfs"))){
validate12.errors = [{instancePath,schemaPath:"#/required",keyword:"required",params:{missingProperty: missing0},message:"must have required property '"+missing0+"'"}];
return false;
}
else {
if(data.created !== undefined){
let data0 = data.created;
const _errs1 = errors;
if((typeof data0 !== "string") && (data0 !== null)){
validate12.errors = [{instancePath:instancePath+"/created",schemaPath:"#/properties/created/type",keyword:"type",params:{type: schema13.properties.created.type},message:"must be string,null"}];
return false;
}
var valid0 = _errs1 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.author !== undefined){
const _errs3 = errors;
if(typeof data.author !== "string"){
validate12.errors = [{instancePath:instancePath+"/author",schemaPath:"#/properties/author/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid0 = _errs3 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.architecture !== undefined){
const _errs5 = errors;
if(typeof data.architecture !== "string"){
validate12.errors = [{instancePath:instancePath+"/architecture",schemaPath:"#/properties/architecture/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid0 = _errs5 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.os !== undefined){
const _errs7 = errors;
if(typeof data.os !== "string"){
validate12.errors = [{instancePath:instancePath+"/os",schemaPath:"#/properties/os/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid0 = _errs7 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.variant !== undefined){
const _errs9 = errors;
if(typeof data.variant !== "string"){
validate12.errors = [{instancePath:instancePath+"/variant",schemaPath:"#/properties/variant/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid0 = _errs9 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.config !== undefined){
let data5 = data.config;
const _errs11 = errors;
if((!(data5 && typeof data5 == "object" && !Array.isArray(data5))) && (data5 !== null)){
validate12.errors = [{instancePath:instancePath+"/config",schemaPath:"#/properties/config/type",keyword:"type",params:{type: schema13.properties.config.type},message:"must be object,null"}];
return false;
}
if(errors === _errs11){
if(data5 && typeof data5 == "object" && !Array.isArray(data5)){
if(data5.User !== undefined){
const _errs13 = errors;
if(typeof data5.User !== "string"){
validate12.errors = [{instancePath:instancePath+"/config/User",schemaPath:"#/properties/config/properties/User/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid1 = _errs13 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data5.ExposedPorts !== undefined){
let data7 = data5.ExposedPorts;
const _errs15 = errors;
if((!(data7 && typeof data7 == "object" && !Array.isArray(data7))) && (data7 !== null)){
validate12.errors = [{instancePath:instancePath+"/config/ExposedPorts",schemaPath:"#/properties/config/properties/ExposedPorts/type",keyword:"type",params:{type: schema13.properties.config.properties.ExposedPorts.type},message:"must be object,null"}];
return false;
}
if(errors === _errs15){
if(data7 && typeof data7 == "object" && !Array.isArray(data7)){
for(const key0 in data7){
let data8 = data7[key0];
const _errs18 = errors;
if((!(data8 && typeof data8 == "object" && !Array.isArray(data8))) && (data8 !== null)){
validate12.errors = [{instancePath:instancePath+"/config/ExposedPorts/" + key0.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/config/properties/ExposedPorts/additionalProperties/type",keyword:"type",params:{type: schema13.properties.config.properties.ExposedPorts.additionalProperties.type},message:"must be object,null"}];
return false;
}
var valid2 = _errs18 === errors;
if(!valid2){
break;
}
}
}
}
var valid1 = _errs15 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data5.Env !== undefined){
let data9 = data5.Env;
const _errs20 = errors;
if((!(Array.isArray(data9))) && (data9 !== null)){
validate12.errors = [{instancePath:instancePath+"/config/Env",schemaPath:"#/properties/config/properties/Env/type",keyword:"type",params:{type: schema13.properties.config.properties.Env.type},message:"must be array,null"}];
return false;
}
if(errors === _errs20){
if(Array.isArray(data9)){
var valid3 = true;
const len0 = data9.length;
for(let i0=0; i0<len0; i0++){
const _errs22 = errors;
if(typeof data9[i0] !== "string"){
validate12.errors = [{instancePath:instancePath+"/config/Env/" + i0,schemaPath:"#/properties/config/properties/Env/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid3 = _errs22 === errors;
if(!valid3){
break;
}
}
}
}
var valid1 = _errs20 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data5.Entrypoint !== undefined){
let data11 = data5.Entrypoint;
const _errs24 = errors;
if((!(Array.isArray(data11))) && (data11 !== null)){
validate12.errors = [{instancePath:instancePath+"/config/Entrypoint",schemaPath:"#/properties/config/properties/Entrypoint/type",keyword:"type",params:{type: schema13.properties.config.properties.Entrypoint.type},message:"must be array,null"}];
return false;
}
if(errors === _errs24){
if(Array.isArray(data11)){
var valid4 = true;
const len1 = data11.length;
for(let i1=0; i1<len1; i1++){
const _errs26 = errors;
if(typeof data11[i1] !== "string"){
validate12.errors = [{instancePath:instancePath+"/config/Entrypoint/" + i1,schemaPath:"#/properties/config/properties/Entrypoint/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid4 = _errs26 === errors;
if(!valid4){
break;
}
}
}
}
var valid1 = _errs24 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data5.Cmd !== undefined){
let data13 = data5.Cmd;
const _errs28 = errors;
if((!(Array.isArray(data13))) && (data13 !== null)){
validate12.errors = [{instancePath:instancePath+"/config/Cmd",schemaPath:"#/properties/config/properties/Cmd/type",keyword:"type",params:{type: schema13.properties.config.properties.Cmd.type},message:"must be array,null"}];
return false;
}
if(errors === _errs28){
if(Array.isArray(data13)){
var valid5 = true;
const len2 = data13.length;
for(let i2=0; i2<len2; i2++){
const _errs30 = errors;
if(typeof data13[i2] !== "string"){
validate12.errors = [{instancePath:instancePath+"/config/Cmd/" + i2,schemaPath:"#/properties/config/properties/Cmd/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid5 = _errs30 === errors;
if(!valid5){
break;
}
}
}
}
var valid1 = _errs28 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data5.Volumes !== undefined){
let data15 = data5.Volumes;
const _errs32 = errors;
if((!(data15 && typeof data15 == "object" && !Array.isArray(data15))) && (data15 !== null)){
validate12.errors = [{instancePath:instancePath+"/config/Volumes",schemaPath:"#/properties/config/properties/Volumes/type",keyword:"type",params:{type: schema13.properties.config.properties.Volumes.type},message:"must be object,null"}];
return false;
}
if(errors === _errs32){
if(data15 && typeof data15 == "object" && !Array.isArray(data15)){
for(const key1 in data15){
let data16 = data15[key1];
const _errs35 = errors;
if((!(data16 && typeof data16 == "object" && !Array.isArray(data16))) && (data16 !== null)){
validate12.errors = [{instancePath:instancePath+"/config/Volumes/" + key1.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/config/properties/Volumes/additionalProperties/type",keyword:"type",params:{type: schema13.properties.config.properties.Volumes.additionalProperties.type},message:"must be object,null"}];
return false;
}
var valid6 = _errs35 === errors;
if(!valid6){
break;
}
}
}
}
var valid1 = _errs32 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data5.WorkingDir !== undefined){
const _errs37 = errors;
if(typeof data5.WorkingDir !== "string"){
validate12.errors = [{instancePath:instancePath+"/config/WorkingDir",schemaPath:"#/properties/config/properties/WorkingDir/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid1 = _errs37 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data5.Labels !== undefined){
let data18 = data5.Labels;
const _errs39 = errors;
if((!(data18 && typeof data18 == "object" && !Array.isArray(data18))) && (data18 !== null)){
validate12.errors = [{instancePath:instancePath+"/config/Labels",schemaPath:"#/properties/config/properties/Labels/type",keyword:"type",params:{type: schema13.properties.config.properties.Labels.type},message:"must be object,null"}];
return false;
}
if(errors === _errs39){
if(data18 && typeof data18 == "object" && !Array.isArray(data18)){
for(const key2 in data18){
const _errs42 = errors;
if(typeof data18[key2] !== "string"){
validate12.errors = [{instancePath:instancePath+"/config/Labels/" + key2.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/config/properties/Labels/additionalProperties/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid7 = _errs42 === errors;
if(!valid7){
break;
}
}
}
}
var valid1 = _errs39 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data5.StopSignal !== undefined){
const _errs44 = errors;
if(typeof data5.StopSignal !== "string"){
validate12.errors = [{instancePath:instancePath+"/config/StopSignal",schemaPath:"#/properties/config/properties/StopSignal/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid1 = _errs44 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data5.Shell !== undefined){
let data21 = data5.Shell;
const _errs46 = errors;
if((!(Array.isArray(data21))) && (data21 !== null)){
validate12.errors = [{instancePath:instancePath+"/config/Shell",schemaPath:"#/properties/config/properties/Shell/type",keyword:"type",params:{type: schema13.properties.config.properties.Shell.type},message:"must be array,null"}];
return false;
}
if(errors === _errs46){
if(Array.isArray(data21)){
var valid8 = true;
const len3 = data21.length;
for(let i3=0; i3<len3; i3++){
const _errs48 = errors;
if(typeof data21[i3] !== "string"){
validate12.errors = [{instancePath:instancePath+"/config/Shell/" + i3,schemaPath:"#/properties/config/properties/Shell/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid8 = _errs48 === errors;
if(!valid8){
break;
}
}
}
}
var valid1 = _errs46 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data5.Healthcheck !== undefined){
let data23 = data5.Healthcheck;
const _errs50 = errors;
if((!(data23 && typeof data23 == "object" && !Array.isArray(data23))) && (data23 !== null)){
validate12.errors = [{instancePath:instancePath+"/config/Healthcheck",schemaPath:"#/properties/config/properties/Healthcheck/type",keyword:"type",params:{type: schema13.properties.config.properties.Healthcheck.type},message:"must be object,null"}];
return false;
}
if(errors === _errs50){
if(data23 && typeof data23 == "object" && !Array.isArray(data23)){
if(data23.Test !== undefined){
let data24 = data23.Test;
const _errs52 = errors;
if((!(Array.isArray(data24))) && (data24 !== null)){
validate12.errors = [{instancePath:instancePath+"/config/Healthcheck/Test",schemaPath:"#/properties/config/properties/Healthcheck/properties/Test/type",keyword:"type",params:{type: schema13.properties.config.properties.Healthcheck.properties.Test.type},message:"must be array,null"}];
return false;
}
if(errors === _errs52){
if(Array.isArray(data24)){
var valid10 = true;
const len4 = data24.length;
for(let i4=0; i4<len4; i4++){
const _errs54 = errors;
if(typeof data24[i4] !== "string"){
validate12.errors = [{instancePath:instancePath+"/config/Healthcheck/Test/" + i4,schemaPath:"#/properties/config/properties/Healthcheck/properties/Test/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid10 = _errs54 === errors;
if(!valid10){
break;
}
}
}
}
var valid9 = _errs52 === errors;
}
else {
var valid9 = true;
}
if(valid9){
if(data23.Interval !== undefined){
let data26 = data23.Interval;
const _errs56 = errors;
if(!(((typeof data26 == "number") && (!(data26 % 1) && !isNaN(data26))) && (isFinite(data26)))){
validate12.errors = [{instancePath:instancePath+"/config/Healthcheck/Interval",schemaPath:"#/properties/config/properties/Healthcheck/properties/Interval/type",keyword:"type",params:{type: "integer"},message:"must be integer"}];
return false;
}
var valid9 = _errs56 === errors;
}
else {
var valid9 = true;
}
if(valid9){
if(data23.Timeout !== undefined){
let data27 = data23.Timeout;
const _errs58 = errors;
if(!(((typeof data27 == "number") && (!(data27 % 1) && !isNaN(data27))) && (isFinite(data27)))){
validate12.errors = [{instancePath:instancePath+"/config/Healthcheck/Timeout",schemaPath:"#/properties/config/properties/Healthcheck/properties/Timeout/type",keyword:"type",params:{type: "integer"},message:"must be integer"}];
return false;
}
var valid9 = _errs58 === errors;
}
else {
var valid9 = true;
}
if(valid9){
if(data23.StartPeriod !== undefined){
let data28 = data23.StartPeriod;
const _errs60 = errors;
if(!(((typeof data28 == "number") && (!(data28 % 1) && !isNaN(data28))) && (isFinite(data28)))){
validate12.errors = [{instancePath:instancePath+"/config/Healthcheck/StartPeriod",schemaPath:"#/properties/config/properties/Healthcheck/properties/StartPeriod/type",keyword:"type",params:{type: "integer"},message:"must be integer"}];
return false;
}
var valid9 = _errs60 === errors;
}
else {
var valid9 = true;
}
if(valid9){
if(data23.StartInterval !== undefined){
let data29 = data23.StartInterval;
const _errs62 = errors;
if(!(((typeof data29 == "number") && (!(data29 % 1) && !isNaN(data29))) && (isFinite(data29)))){
validate12.errors = [{instancePath:instancePath+"/config/Healthcheck/StartInterval",schemaPath:"#/properties/config/properties/Healthcheck/properties/StartInterval/type",keyword:"type",params:{type: "integer"},message:"must be integer"}];
return false;
}
var valid9 = _errs62 === errors;
}
else {
var valid9 = true;
}
if(valid9){
if(data23.Retries !== undefined){
let data30 = data23.Retries;
const _errs64 = errors;
if(!(((typeof data30 == "number") && (!(data30 % 1) && !isNaN(data30))) && (isFinite(data30)))){
validate12.errors = [{instancePath:instancePath+"/config/Healthcheck/Retries",schemaPath:"#/properties/config/properties/Healthcheck/properties/Retries/type",keyword:"type",params:{type: "integer"},message:"must be integer"}];
return false;
}
var valid9 = _errs64 === errors;
}
else {
var valid9 = true;
}
}
}
}
}
}
}
}
var valid1 = _errs50 === errors;
}
else {
var valid1 = true;
}
}
}
}
}
}
}
}
}
}
}
}
}
var valid0 = _errs11 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.rootfs !== undefined){
let data31 = data.rootfs;
const _errs66 = errors;
if(errors === _errs66){
if(data31 && typeof data31 == "object" && !Array.isArray(data31)){
let missing1;
if((data31.type === undefined) && (missing1 = "type")){
validate12.errors = [{instancePath:instancePath+"/rootfs",schemaPath:"#/properties/rootfs/required",keyword:"required",params:{missingProperty: missing1},message:"must have required property '"+missing1+"'"}];
return false;
}
else {
if(data31.type !== undefined){
const _errs68 = errors;
if(!(data31.type === "layers")){
validate12.errors = [{instancePath:instancePath+"/rootfs/type",schemaPath:"#/properties/rootfs/properties/type/enum",keyword:"enum",params:{allowedValues: schema13.properties.rootfs.properties.type.enum},message:"must be equal to one of the allowed values"}];
return false;
}
var valid11 = _errs68 === errors;
}
else {
var valid11 = true;
}
if(valid11){
if(data31.diff_ids !== undefined){
let data33 = data31.diff_ids;
const _errs69 = errors;
if((!(Array.isArray(data33))) && (data33 !== null)){
validate12.errors = [{instancePath:instancePath+"/rootfs/diff_ids",schemaPath:"#/properties/rootfs/properties/diff_ids/type",keyword:"type",params:{type: schema13.properties.rootfs.properties.diff_ids.type},message:"must be array,null"}];
return false;
}
if(errors === _errs69){
if(Array.isArray(data33)){
if(data33.length > 512){
validate12.errors = [{instancePath:instancePath+"/rootfs/diff_ids",schemaPath:"#/properties/rootfs/properties/diff_ids/maxItems",keyword:"maxItems",params:{limit: 512},message:"must NOT have more than 512 items"}];
return false;
}
else {
var valid12 = true;
const len5 = data33.length;
for(let i5=0; i5<len5; i5++){
let data34 = data33[i5];
const _errs71 = errors;
if(errors === _errs71){
if(typeof data34 === "string"){
if(!pattern2.test(data34)){
validate12.errors = [{instancePath:instancePath+"/rootfs/diff_ids/" + i5,schemaPath:"#/properties/rootfs/properties/diff_ids/items/pattern",keyword:"pattern",params:{pattern: "^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"},message:"must match pattern \""+"^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"+"\""}];
return false;
}
}
else {
validate12.errors = [{instancePath:instancePath+"/rootfs/diff_ids/" + i5,schemaPath:"#/properties/rootfs/properties/diff_ids/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid12 = _errs71 === errors;
if(!valid12){
break;
}
}
}
}
}
var valid11 = _errs69 === errors;
}
else {
var valid11 = true;
}
}
}
}
else {
validate12.errors = [{instancePath:instancePath+"/rootfs",schemaPath:"#/properties/rootfs/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid0 = _errs66 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.history !== undefined){
let data35 = data.history;
const _errs73 = errors;
if((!(Array.isArray(data35))) && (data35 !== null)){
validate12.errors = [{instancePath:instancePath+"/history",schemaPath:"#/properties/history/type",keyword:"type",params:{type: schema13.properties.history.type},message:"must be array,null"}];
return false;
}
if(errors === _errs73){
if(Array.isArray(data35)){
var valid13 = true;
const len6 = data35.length;
for(let i6=0; i6<len6; i6++){
let data36 = data35[i6];
const _errs75 = errors;
if(errors === _errs75){
if(data36 && typeof data36 == "object" && !Array.isArray(data36)){
if(data36.created !== undefined){
let data37 = data36.created;
const _errs77 = errors;
if((typeof data37 !== "string") && (data37 !== null)){
validate12.errors = [{instancePath:instancePath+"/history/" + i6+"/created",schemaPath:"#/properties/history/items/properties/created/type",keyword:"type",params:{type: schema13.properties.history.items.properties.created.type},message:"must be string,null"}];
return false;
}
var valid14 = _errs77 === errors;
}
else {
var valid14 = true;
}
if(valid14){
if(data36.created_by !== undefined){
const _errs79 = errors;
if(typeof data36.created_by !== "string"){
validate12.errors = [{instancePath:instancePath+"/history/" + i6+"/created_by",schemaPath:"#/properties/history/items/properties/created_by/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid14 = _errs79 === errors;
}
else {
var valid14 = true;
}
if(valid14){
if(data36.author !== undefined){
const _errs81 = errors;
if(typeof data36.author !== "string"){
validate12.errors = [{instancePath:instancePath+"/history/" + i6+"/author",schemaPath:"#/properties/history/items/properties/author/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid14 = _errs81 === errors;
}
else {
var valid14 = true;
}
if(valid14){
if(data36.comment !== undefined){
const _errs83 = errors;
if(typeof data36.comment !== "string"){
validate12.errors = [{instancePath:instancePath+"/history/" + i6+"/comment",schemaPath:"#/properties/history/items/properties/comment/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid14 = _errs83 === errors;
}
else {
var valid14 = true;
}
if(valid14){
if(data36.empty_layer !== undefined){
const _errs85 = errors;
if(typeof data36.empty_layer !== "boolean"){
validate12.errors = [{instancePath:instancePath+"/history/" + i6+"/empty_layer",schemaPath:"#/properties/history/items/properties/empty_layer/type",keyword:"type",params:{type: "boolean"},message:"must be boolean"}];
return false;
}
var valid14 = _errs85 === errors;
}
else {
var valid14 = true;
}
}
}
}
}
}
else {
validate12.errors = [{instancePath:instancePath+"/history/" + i6,schemaPath:"#/properties/history/items/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid13 = _errs75 === errors;
if(!valid13){
break;
}
}
}
}
var valid0 = _errs73 === errors;
}
else {
var valid0 = true;
}
}
}
}
}
}
}
}
}
}
else {
validate12.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
validate12.errors = vErrors;
return errors === 0;
}

export const validateArchiveManifest = validate13;
const schema14 = {"type":"array","items":{"type":"object","required":["Config","Layers"],"properties":{"Config":{"type":"string"},"RepoTags":{"type":["array","null"],"items":{"type":"string"}},"Layers":{"type":["array","null"],"items":{"type":"string"},"maxItems":512}}},"$id":"validateArchiveManifest"};

function validate13(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
/*# sourceURL="validateArchiveManifest" */;
let vErrors = null;
let errors = 0;
if(errors === 0){
if(Array.isArray(data)){
var valid0 = true;
const len0 = data.length;
for(let i0=0; i0<len0; i0++){
let data0 = data[i0];
const _errs1 = errors;
if(errors === _errs1){
if(data0 && typeof data0 == "object" && !Array.isArray(data0)){
let missing0;
if(((data0.Config === undefined) && (missing0 = "Config")) || ((data0.Layers === undefined) && (missing0 = "Layers"))){
validate13.errors = [{instancePath:instancePath+"/" + i0,schemaPath:"#/items/required",keyword:"required",params:{missingProperty: missing0},message:"must have required property '"+missing0+"'"}];
return false;
}
else {
if(data0.Config !== undefined){
const _errs3 = errors;
if(typeof data0.Config !== "string"){
validate13.errors = [{instancePath:instancePath+"/" + i0+"/Config",schemaPath:"#/items/properties/Config/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid1 = _errs3 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data0.RepoTags !== undefined){
let data2 = data0.RepoTags;
const _errs5 = errors;
if((!(Array.isArray(data2))) && (data2 !== null)){
validate13.errors = [{instancePath:instancePath+"/" + i0+"/RepoTags",schemaPath:"#/items/properties/RepoTags/type",keyword:"type",params:{type: schema14.items.properties.RepoTags.type},message:"must be array,null"}];
return false;
}
if(errors === _errs5){
if(Array.isArray(data2)){
var valid2 = true;
const len1 = data2.length;
for(let i1=0; i1<len1; i1++){
const _errs7 = errors;
if(typeof data2[i1] !== "string"){
validate13.errors = [{instancePath:instancePath+"/" + i0+"/RepoTags/" + i1,schemaPath:"#/items/properties/RepoTags/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid2 = _errs7 === errors;
if(!valid2){
break;
}
}
}
}
var valid1 = _errs5 === errors;
}
else {
var valid1 = true;
}
if(valid1){
if(data0.Layers !== undefined){
let data4 = data0.Layers;
const _errs9 = errors;
if((!(Array.isArray(data4))) && (data4 !== null)){
validate13.errors = [{instancePath:instancePath+"/" + i0+"/Layers",schemaPath:"#/items/properties/Layers/type",keyword:"type",params:{type: schema14.items.properties.Layers.type},message:"must be array,null"}];
return false;
}
if(errors === _errs9){
if(Array.isArray(data4)){
if(data4.length > 512){
validate13.errors = [{instancePath:instancePath+"/" + i0+"/Layers",schemaPath:"#/items/properties/Layers/maxItems",keyword:"maxItems",params:{limit: 512},message:"must NOT have more than 512 items"}];
return false;
}
else {
var valid3 = true;
const len2 = data4.length;
for(let i2=0; i2<len2; i2++){
const _errs11 = errors;
if(typeof data4[i2] !== "string"){
validate13.errors = [{instancePath:instancePath+"/" + i0+"/Layers/" + i2,schemaPath:"#/items/properties/Layers/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
var valid3 = _errs11 === errors;
if(!valid3){
break;
}
}
}
}
}
var valid1 = _errs9 === errors;
}
else {
var valid1 = true;
}
}
}
}
}
else {
validate13.errors = [{instancePath:instancePath+"/" + i0,schemaPath:"#/items/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid0 = _errs1 === errors;
if(!valid0){
break;
}
}
}
else {
validate13.errors = [{instancePath,schemaPath:"#/type",keyword:"type",params:{type: "array"},message:"must be array"}];
return false;
}
}
validate13.errors = vErrors;
return errors === 0;
}
