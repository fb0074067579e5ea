// SPDX-License-Identifier: Apache-2.0
// Written by scripts/generate-validators.ts; change the schemas, not this file.
// biome-ignore-all lint: generated
// biome-ignore-all format: generated
// @ts-nocheck

export const validateConfigFile = validate10;
const schema11 = {"type":"object","additionalProperties":false,"properties":{"registries":{"type":"object","additionalProperties":{"type":"object","additionalProperties":false,"properties":{"plainHttp":{"type":"boolean"},"ca":{"type":"string","pattern":"^/"},"mirrors":{"type":"array","items":{"type":"string","pattern":"^https?://[^/?#]+/?$"}},"tokenRealms":{"type":"array","items":{"type":"string","pattern":"^https?://[^/?#]+/?$"}}}},"propertyNames":{"pattern":"^(?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:]+\\])(?::[0-9]+)?$"}},"pull":{"type":"object","additionalProperties":false,"properties":{"parallelLayers":{"type":"integer","minimum":1,"maximum":16}}},"cni":{"type":"object","additionalProperties":false,"properties":{"configDirectory":{"type":"string","pattern":"^/"},"pluginDirectories":{"type":"array","minItems":1,"items":{"type":"string","pattern":"^/[^:]*$"}}}}},"$id":"validateConfigFile"};
const pattern0 = new RegExp("^(?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:]+\\])(?::[0-9]+)?$", "u");
const pattern1 = new RegExp("^/", "u");
const pattern2 = new RegExp("^https?://[^/?#]+/?$", "u");
const pattern5 = new RegExp("^/[^:]*$", "u");

function validate10(data, {instancePath="", parentData, parentDataProperty, rootData=data}={}){
/*# sourceURL="validateConfigFile" */;
let vErrors = null;
let errors = 0;
if(errors === 0){
if(data && typeof data == "object" && !Array.isArray(data)){
const _errs1 = errors;
for(const key0 in data){
if(!(((key0 === "registries") || (key0 === "pull")) || (key0 === "cni"))){
validate10.errors = [{instancePath,schemaPath:"#/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key0},message:"must NOT have additional properties"}];
return false;
break;
}
}
if(_errs1 === errors){
if(data.registries !== undefined){
let data0 = data.registries;
const _errs2 = errors;
if(errors === _errs2){
if(data0 && typeof data0 == "object" && !Array.isArray(data0)){
for(const key1 in data0){
const _errs4 = errors;
if(typeof key1 === "string"){
if(!pattern0.test(key1)){
const err0 = {instancePath:instancePath+"/registries",schemaPath:"#/properties/registries/propertyNames/pattern",keyword:"pattern",params:{pattern: "^(?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:]+\\])(?::[0-9]+)?$"},message:"must match pattern \""+"^(?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:]+\\])(?::[0-9]+)?$"+"\"",propertyName:key1};
if(vErrors === null){
vErrors = [err0];
}
else {
vErrors.push(err0);
}
errors++;
}
}
var valid1 = _errs4 === errors;
if(!valid1){
const err1 = {instancePath:instancePath+"/registries",schemaPath:"#/properties/registries/propertyNames",keyword:"propertyNames",params:{propertyName: key1},message:"property name must be valid"};
if(vErrors === null){
vErrors = [err1];
}
else {
vErrors.push(err1);
}
errors++;
validate10.errors = vErrors;
return false;
break;
}
}
if(valid1){
for(const key2 in data0){
let data1 = data0[key2];
const _errs6 = errors;
if(errors === _errs6){
if(data1 && typeof data1 == "object" && !Array.isArray(data1)){
const _errs8 = errors;
for(const key3 in data1){
if(!((((key3 === "plainHttp") || (key3 === "ca")) || (key3 === "mirrors")) || (key3 === "tokenRealms"))){
validate10.errors = [{instancePath:instancePath+"/registries/" + key2.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/registries/additionalProperties/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key3},message:"must NOT have additional properties"}];
return false;
break;
}
}
if(_errs8 === errors){
if(data1.plainHttp !== undefined){
const _errs9 = errors;
if(typeof data1.plainHttp !== "boolean"){
validate10.errors = [{instancePath:instancePath+"/registries/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/plainHttp",schemaPath:"#/properties/registries/additionalProperties/properties/plainHttp/type",keyword:"type",params:{type: "boolean"},message:"must be boolean"}];
return false;
}
var valid3 = _errs9 === errors;
}
else {
var valid3 = true;
}
if(valid3){
if(data1.ca !== undefined){
let data3 = data1.ca;
const _errs11 = errors;
if(errors === _errs11){
if(typeof data3 === "string"){
if(!pattern1.test(data3)){
validate10.errors = [{instancePath:instancePath+"/registries/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/ca",schemaPath:"#/properties/registries/additionalProperties/properties/ca/pattern",keyword:"pattern",params:{pattern: "^/"},message:"must match pattern \""+"^/"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/registries/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/ca",schemaPath:"#/properties/registries/additionalProperties/properties/ca/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid3 = _errs11 === errors;
}
else {
var valid3 = true;
}
if(valid3){
if(data1.mirrors !== undefined){
let data4 = data1.mirrors;
const _errs13 = errors;
if(errors === _errs13){
if(Array.isArray(data4)){
var valid4 = true;
const len0 = data4.length;
for(let i0=0; i0<len0; i0++){
let data5 = data4[i0];
const _errs15 = errors;
if(errors === _errs15){
if(typeof data5 === "string"){
if(!pattern2.test(data5)){
validate10.errors = [{instancePath:instancePath+"/registries/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/mirrors/" + i0,schemaPath:"#/properties/registries/additionalProperties/properties/mirrors/items/pattern",keyword:"pattern",params:{pattern: "^https?://[^/?#]+/?$"},message:"must match pattern \""+"^https?://[^/?#]+/?$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/registries/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/mirrors/" + i0,schemaPath:"#/properties/registries/additionalProperties/properties/mirrors/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid4 = _errs15 === errors;
if(!valid4){
break;
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/registries/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/mirrors",schemaPath:"#/properties/registries/additionalProperties/properties/mirrors/type",keyword:"type",params:{type: "array"},message:"must be array"}];
return false;
}
}
var valid3 = _errs13 === errors;
}
else {
var valid3 = true;
}
if(valid3){
if(data1.tokenRealms !== undefined){
let data6 = data1.tokenRealms;
const _errs17 = errors;
if(errors === _errs17){
if(Array.isArray(data6)){
var valid5 = true;
const len1 = data6.length;
for(let i1=0; i1<len1; i1++){
let data7 = data6[i1];
const _errs19 = errors;
if(errors === _errs19){
if(typeof data7 === "string"){
if(!pattern2.test(data7)){
validate10.errors = [{instancePath:instancePath+"/registries/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/tokenRealms/" + i1,schemaPath:"#/properties/registries/additionalProperties/properties/tokenRealms/items/pattern",keyword:"pattern",params:{pattern: "^https?://[^/?#]+/?$"},message:"must match pattern \""+"^https?://[^/?#]+/?$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/registries/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/tokenRealms/" + i1,schemaPath:"#/properties/registries/additionalProperties/properties/tokenRealms/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid5 = _errs19 === errors;
if(!valid5){
break;
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/registries/" + key2.replace(/~/g, "~0").replace(/\//g, "~1")+"/tokenRealms",schemaPath:"#/properties/registries/additionalProperties/properties/tokenRealms/type",keyword:"type",params:{type: "array"},message:"must be array"}];
return false;
}
}
var valid3 = _errs17 === errors;
}
else {
var valid3 = true;
}
}
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/registries/" + key2.replace(/~/g, "~0").replace(/\//g, "~1"),schemaPath:"#/properties/registries/additionalProperties/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid2 = _errs6 === errors;
if(!valid2){
break;
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/registries",schemaPath:"#/properties/registries/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid0 = _errs2 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.pull !== undefined){
let data8 = data.pull;
const _errs21 = errors;
if(errors === _errs21){
if(data8 && typeof data8 == "object" && !Array.isArray(data8)){
const _errs23 = errors;
for(const key4 in data8){
if(!(key4 === "parallelLayers")){
validate10.errors = [{instancePath:instancePath+"/pull",schemaPath:"#/properties/pull/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key4},message:"must NOT have additional properties"}];
return false;
break;
}
}
if(_errs23 === errors){
if(data8.parallelLayers !== undefined){
let data9 = data8.parallelLayers;
const _errs24 = errors;
if(!(((typeof data9 == "number") && (!(data9 % 1) && !isNaN(data9))) && (isFinite(data9)))){
validate10.errors = [{instancePath:instancePath+"/pull/parallelLayers",schemaPath:"#/properties/pull/properties/parallelLayers/type",keyword:"type",params:{type: "integer"},message:"must be integer"}];
return false;
}
if(errors === _errs24){
if((typeof data9 == "number") && (isFinite(data9))){
if(data9 > 16 || isNaN(data9)){
validate10.errors = [{instancePath:instancePath+"/pull/parallelLayers",schemaPath:"#/properties/pull/properties/parallelLayers/maximum",keyword:"maximum",params:{comparison: "<=", limit: 16},message:"must be <= 16"}];
return false;
}
else {
if(data9 < 1 || isNaN(data9)){
validate10.errors = [{instancePath:instancePath+"/pull/parallelLayers",schemaPath:"#/properties/pull/properties/parallelLayers/minimum",keyword:"minimum",params:{comparison: ">=", limit: 1},message:"must be >= 1"}];
return false;
}
}
}
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/pull",schemaPath:"#/properties/pull/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid0 = _errs21 === errors;
}
else {
var valid0 = true;
}
if(valid0){
if(data.cni !== undefined){
let data10 = data.cni;
const _errs26 = errors;
if(errors === _errs26){
if(data10 && typeof data10 == "object" && !Array.isArray(data10)){
const _errs28 = errors;
for(const key5 in data10){
if(!((key5 === "configDirectory") || (key5 === "pluginDirectories"))){
validate10.errors = [{instancePath:instancePath+"/cni",schemaPath:"#/properties/cni/additionalProperties",keyword:"additionalProperties",params:{additionalProperty: key5},message:"must NOT have additional properties"}];
return false;
break;
}
}
if(_errs28 === errors){
if(data10.configDirectory !== undefined){
let data11 = data10.configDirectory;
const _errs29 = errors;
if(errors === _errs29){
if(typeof data11 === "string"){
if(!pattern1.test(data11)){
validate10.errors = [{instancePath:instancePath+"/cni/configDirectory",schemaPath:"#/properties/cni/properties/configDirectory/pattern",keyword:"pattern",params:{pattern: "^/"},message:"must match pattern \""+"^/"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/cni/configDirectory",schemaPath:"#/properties/cni/properties/configDirectory/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid7 = _errs29 === errors;
}
else {
var valid7 = true;
}
if(valid7){
if(data10.pluginDirectories !== undefined){
let data12 = data10.pluginDirectories;
const _errs31 = errors;
if(errors === _errs31){
if(Array.isArray(data12)){
if(data12.length < 1){
validate10.errors = [{instancePath:instancePath+"/cni/pluginDirectories",schemaPath:"#/properties/cni/properties/pluginDirectories/minItems",keyword:"minItems",params:{limit: 1},message:"must NOT have fewer than 1 items"}];
return false;
}
else {
var valid8 = true;
const len2 = data12.length;
for(let i2=0; i2<len2; i2++){
let data13 = data12[i2];
const _errs33 = errors;
if(errors === _errs33){
if(typeof data13 === "string"){
if(!pattern5.test(data13)){
validate10.errors = [{instancePath:instancePath+"/cni/pluginDirectories/" + i2,schemaPath:"#/properties/cni/properties/pluginDirectories/items/pattern",keyword:"pattern",params:{pattern: "^/[^:]*$"},message:"must match pattern \""+"^/[^:]*$"+"\""}];
return false;
}
}
else {
validate10.errors = [{instancePath:instancePath+"/cni/pluginDirectories/" + i2,schemaPath:"#/properties/cni/properties/pluginDirectories/items/type",keyword:"type",params:{type: "string"},message:"must be string"}];
return false;
}
}
var valid8 = _errs33 === errors;
if(!valid8){
break;
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/cni/pluginDirectories",schemaPath:"#/properties/cni/properties/pluginDirectories/type",keyword:"type",params:{type: "array"},message:"must be array"}];
return false;
}
}
var valid7 = _errs31 === errors;
}
else {
var valid7 = true;
}
}
}
}
else {
validate10.errors = [{instancePath:instancePath+"/cni",schemaPath:"#/properties/cni/type",keyword:"type",params:{type: "object"},message:"must be object"}];
return false;
}
}
var valid0 = _errs26 === errors;
}
else {
var valid0 = true;
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
