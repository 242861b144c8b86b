<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh-Hans" sourcelanguage="en">
<context>
    <name>TextPromptSeg</name>
    <message>
        <source>Text Prompt Segmentation</source>
        <translation>文本提示分割</translation>
    </message>
    <message>
        <source>Segment structures in CT, MR and X-ray images by typing what to segment. The same is available as the effect 'Text prompt' of Segment Editor. Results are suggestions for research and must be checked; they are not for diagnosis.</source>
        <translation>输入要分割的内容，即可在 CT、MR 和 X 线图像中分割结构。同样的功能也以“文本提示”效果的形式出现在分割编辑器中。结果仅供研究参考，必须经过核对；不得用于诊断。</translation>
    </message>
    <message>
        <source>Each checkpoint's card names the paper behind it, its training data and its licence.</source>
        <translation>每个模型的说明卡都注明其论文、训练数据和许可证。</translation>
    </message>
</context>
<context>
    <name>TextPromptSegEffect.SegmentEditorEffect</name>
    <message>
        <source>Text prompt</source>
        <translation>文本提示</translation>
    </message>
    <message>
        <source>&lt;html&gt;Segment by typing what to segment, for example &lt;i&gt;left kidney, spleen&lt;/i&gt;.&lt;br&gt;&lt;b&gt;Preview&lt;/b&gt; shows the current slice, &lt;b&gt;Threshold&lt;/b&gt; adjusts it, &lt;b&gt;Apply&lt;/b&gt; changes the selected segment in one undo step; masking options are honoured.&lt;p&gt;Keys:&lt;br&gt;{keys}&lt;p&gt;Results are suggestions for research and must be checked.&lt;/html&gt;</source>
        <translation>&lt;html&gt;输入要分割的内容进行分割，例如 &lt;i&gt;left kidney, spleen&lt;/i&gt;。&lt;br&gt;&lt;b&gt;预览&lt;/b&gt;显示当前切片，&lt;b&gt;阈值&lt;/b&gt;对其进行调整，&lt;b&gt;应用&lt;/b&gt;以一个可撤销的步骤修改所选分割；遵循蒙版选项。&lt;p&gt;按键：&lt;br&gt;{keys}&lt;p&gt;结果仅供研究参考，必须经过核对。&lt;/html&gt;</translation>
    </message>
</context>
<context>
    <name>boxes.candidates_box</name>
    <message>
        <source>One answer</source>
        <translation>单一答案</translation>
    </message>
    <message>
        <source> candidates</source>
        <translation> 个候选</translation>
    </message>
    <message>
        <source>Show the candidate before; Apply takes the one that is shown.</source>
        <translation>显示上一个候选；“应用”采用当前显示的候选。</translation>
    </message>
    <message>
        <source>Show the next candidate; Apply takes the one that is shown.</source>
        <translation>显示下一个候选；“应用”采用当前显示的候选。</translation>
    </message>
    <message>
        <source>How many plausible answers to draw. First their mean is shown; the arrows flip.</source>
        <translation>生成多少个可能的答案。首先显示其平均值；用箭头翻看。</translation>
    </message>
    <message>
        <source>This checkpoint gives one answer; choose one that draws candidates (the section Checkpoints of the module says which do).</source>
        <translation>此模型只给出一个答案；请选择能生成候选的模型（模块的“模型”部分有说明）。</translation>
    </message>
    <message>
        <source>not drawn yet</source>
        <translation>尚未生成</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} / {count}</translation>
    </message>
    <message>
        <source>mean of {count}</source>
        <translation>{count} 个的平均值</translation>
    </message>
    <message>
        <source>candidate {number} of {count}, {size}</source>
        <translation>第 {number} 个候选，共 {count} 个，{size}</translation>
    </message>
    <message>
        <source>candidate {number} of {count} is empty</source>
        <translation>第 {number} 个候选（共 {count} 个）为空</translation>
    </message>
</context>
<context>
    <name>boxes.hints_box</name>
    <message>
        <source>Box</source>
        <translation>框</translation>
    </message>
    <message>
        <source>Choose or draw a box</source>
        <translation>选择或绘制一个框</translation>
    </message>
    <message>
        <source>Inside</source>
        <translation>内部</translation>
    </message>
    <message>
        <source>Points on it</source>
        <translation>结构上的点</translation>
    </message>
    <message>
        <source>Outside</source>
        <translation>外部</translation>
    </message>
    <message>
        <source>Points beside it</source>
        <translation>结构外的点</translation>
    </message>
    <message>
        <source>A box around the structure. It tells the network where to look; the range, in contrast, only cuts off what lies outside.</source>
        <translation>结构周围的框。它告诉网络到哪里寻找；而范围只是裁去其外的部分。</translation>
    </message>
    <message>
        <source>Points or a scribble on the structure. A point whose name begins with '-' lies beside it.</source>
        <translation>位于结构上的点或涂画。名称以“-”开头的点位于结构之外。</translation>
    </message>
    <message>
        <source>Points or a scribble beside the structure; may be left out.</source>
        <translation>位于结构之外的点或涂画；可以省略。</translation>
    </message>
    <message>
        <source>Two passes</source>
        <translation>两遍</translation>
    </message>
    <message>
        <source>Find a box by the text first, then ask again with that box.</source>
        <translation>先用文本找到一个框，再用该框重新询问。</translation>
    </message>
    <message>
        <source>Slice to slice</source>
        <translation>逐层传递</translation>
    </message>
    <message>
        <source>Give each slice the box of what was found in the slice before.</source>
        <translation>把上一层切片中找到内容的框交给下一层切片。</translation>
    </message>
    <message>
        <source>Start from the segment</source>
        <translation>从该分割开始</translation>
    </message>
    <message>
        <source>Box and points make the selected segment better instead of asking anew: its mask goes into the network, or where that takes none the box around it on each slice.</source>
        <translation>框和点用于改进所选分割，而不是重新询问：其蒙版输入网络；若网络不接受蒙版，则使用每层切片上围绕它的框。</translation>
    </message>
    <message>
        <source>Choose or draw a box, or set the hints to text alone.</source>
        <translation>请选择或绘制一个框，或将提示信息设为仅文本。</translation>
    </message>
    <message>
        <source>Choose or place points, or set the hints to text alone.</source>
        <translation>请选择或放置点，或将提示信息设为仅文本。</translation>
    </message>
    <message>
        <source>Text alone</source>
        <translation>仅文本</translation>
    </message>
    <message>
        <source>Text and a box</source>
        <translation>文本和框</translation>
    </message>
    <message>
        <source>Text and points</source>
        <translation>文本和点</translation>
    </message>
    <message>
        <source>Text, a box and points</source>
        <translation>文本、框和点</translation>
    </message>
    <message>
        <source>What helps the network to find the structure, beside the text.</source>
        <translation>除文本外，帮助网络找到结构的信息。</translation>
    </message>
    <message>
        <source>This checkpoint listens to text alone; choose one that takes boxes or points (the section Checkpoints of the module says which do).</source>
        <translation>此模型只接受文本；请选择接受框或点的模型（模块的“模型”部分有说明）。</translation>
    </message>
</context>
<context>
    <name>boxes.markups_box</name>
    <message>
        <source>Draw</source>
        <translation>绘制</translation>
    </message>
    <message>
        <source>Draw in a slice view; press Escape to end.</source>
        <translation>在切片视图中绘制；按 Esc 结束。</translation>
    </message>
    <message>
        <source>Scribble</source>
        <translation>涂画</translation>
    </message>
    <message>
        <source>Draw a line on the structure, click by click; a right click or Escape ends it. The network gets points along it.</source>
        <translation>在结构上逐次单击画线；右键单击或按 Esc 结束。网络会得到沿线的点。</translation>
    </message>
</context>
<context>
    <name>boxes.modality_box</name>
    <message>
        <source>The grey values are scaled for the network by what the image is. After a run the outcome says what it was taken for; correct it here.</source>
        <translation>灰度值按图像的类型为网络缩放。运行后结果会说明图像被当作什么；可在此更正。</translation>
    </message>
    <message>
        <source>As the image says</source>
        <translation>按图像所述</translation>
    </message>
    <message>
        <source>CT</source>
        <translation>CT</translation>
    </message>
    <message>
        <source>MR</source>
        <translation>MR</translation>
    </message>
    <message>
        <source>X-ray</source>
        <translation>X 线</translation>
    </message>
</context>
<context>
    <name>boxes.model_box</name>
    <message>
        <source>Checkpoint: the trained network that answers the prompt.</source>
        <translation>模型：回答提示的已训练网络。</translation>
    </message>
    <message>
        <source>No checkpoint is installed</source>
        <translation>未安装任何模型</translation>
    </message>
    <message>
        <source>The checkpoint '{title}' may only be used under this licence:

{licence}
{line}

Use it under this licence?</source>
        <translation>模型“{title}”只能在以下许可证下使用：

{licence}
{line}

是否在此许可证下使用？</translation>
    </message>
    <message>
        <source>Licence of the checkpoint</source>
        <translation>模型的许可证</translation>
    </message>
    <message>
        <source>Images: {modalities}; slices: {planes}; {prompts}</source>
        <translation>图像：{modalities}；切片：{planes}；{prompts}</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>未说明</translation>
    </message>
    <message>
        <source>any words (open vocabulary)</source>
        <translation>任意词语（开放词汇）</translation>
    </message>
    <message>
        <source>{count} trained prompts</source>
        <translation>{count} 个已训练的提示</translation>
    </message>
    <message>
        <source>Measured: {tiers}</source>
        <translation>实测：{tiers}</translation>
    </message>
    <message>
        <source>Licence: {licence}</source>
        <translation>许可证：{licence}</translation>
    </message>
    <message>
        <source>Size {size}, memory about {memory}</source>
        <translation>大小 {size}，内存约 {memory}</translation>
    </message>
    <message>
        <source>boxes</source>
        <translation>框</translation>
    </message>
    <message>
        <source>points</source>
        <translation>点</translation>
    </message>
    <message>
        <source>masks</source>
        <translation>蒙版</translation>
    </message>
    <message>
        <source>draws candidates</source>
        <translation>生成候选</translation>
    </message>
    <message>
        <source>shows where it looked</source>
        <translation>显示关注的位置</translation>
    </message>
    <message>
        <source>Takes: {what}</source>
        <translation>接受：{what}</translation>
    </message>
    <message>
        <source>text</source>
        <translation>文本</translation>
    </message>
</context>
<context>
    <name>boxes.parse_view</name>
    <message>
        <source>How the prompt was understood. Click a name to change it.</source>
        <translation>提示被理解成什么。单击名称可更改。</translation>
    </message>
    <message>
        <source>Use '{name}'</source>
        <translation>使用“{name}”</translation>
    </message>
    <message>
        <source>Ask the network in these words</source>
        <translation>用这些词语询问网络</translation>
    </message>
    <message>
        <source>Whole '{name}'</source>
        <translation>整个“{name}”</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
</context>
<context>
    <name>boxes.region_box</name>
    <message>
        <source>Part of the image that Apply segments; nothing is found outside.</source>
        <translation>“应用”所分割的图像部分；其外不会找到任何内容。</translation>
    </message>
    <message>
        <source>Current slice</source>
        <translation>当前切片</translation>
    </message>
    <message>
        <source>Slice range</source>
        <translation>切片范围</translation>
    </message>
    <message>
        <source>Region of interest</source>
        <translation>感兴趣区域</translation>
    </message>
    <message>
        <source>Whole volume</source>
        <translation>整个体数据</translation>
    </message>
    <message>
        <source>from</source>
        <translation>从</translation>
    </message>
    <message>
        <source>to</source>
        <translation>到</translation>
    </message>
    <message>
        <source>Region</source>
        <translation>区域</translation>
    </message>
    <message>
        <source>Choose or draw a region of interest</source>
        <translation>选择或绘制感兴趣区域</translation>
    </message>
</context>
<context>
    <name>boxes.run_bar</name>
    <message>
        <source>Apply</source>
        <translation>应用</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Starting...</source>
        <translation>正在启动...</translation>
    </message>
</context>
<context>
    <name>boxes.threshold_box</name>
    <message>
        <source>Probability from which a voxel belongs to the structure. Moving it needs no new run.</source>
        <translation>体素属于该结构的概率下限。移动它无需重新运行。</translation>
    </message>
    <message>
        <source>Auto</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Use the threshold that the checkpoint was tuned for.</source>
        <translation>使用为该模型调定的阈值。</translation>
    </message>
    <message>
        <source>A candidate is drawn at the checkpoint's threshold; flip to the mean to move it.</source>
        <translation>候选按模型的阈值绘制；要移动阈值请翻到平均值。</translation>
    </message>
</context>
<context>
    <name>effect.controller</name>
    <message>
        <source>There is no segment yet; press Apply first.</source>
        <translation>还没有分割；请先按“应用”。</translation>
    </message>
    <message>
        <source>Select a segment that was made by a text prompt, then press Again.</source>
        <translation>请选择由文本提示生成的分割，然后按“再次”。</translation>
    </message>
    <message>
        <source>Prompt, checkpoint and threshold are those of the selected segment.</source>
        <translation>提示、模型和阈值取自所选分割。</translation>
    </message>
    <message>
        <source>The next run starts from it: place points, or draw a box.</source>
        <translation>下一次运行从它开始：请放置点，或绘制一个框。</translation>
    </message>
    <message>
        <source>Cancelled; nothing was changed.</source>
        <translation>已取消；未作任何更改。</translation>
    </message>
    <message>
        <source>The segmentation was deleted during the run; nothing was changed.</source>
        <translation>运行期间分割已被删除；未作任何更改。</translation>
    </message>
    <message>
        <source>Another segmentation or volume was selected meanwhile; nothing was written.</source>
        <translation>期间选择了其他分割或体数据；未写入任何内容。</translation>
    </message>
    <message>
        <source>probably {name} is outside this field of view</source>
        <translation>{name}可能位于此视野之外</translation>
    </message>
</context>
<context>
    <name>effect.fold</name>
    <message>
        <source>Options</source>
        <translation>选项</translation>
    </message>
    <message>
        <source>Changed: {list}</source>
        <translation>已更改：{list}</translation>
    </message>
</context>
<context>
    <name>effect.hand_keys</name>
    <message>
        <source>Enter</source>
        <translation>回车</translation>
    </message>
    <message>
        <source>preview</source>
        <translation>预览</translation>
    </message>
    <message>
        <source>Ctrl+Enter</source>
        <translation>Ctrl+回车</translation>
    </message>
    <message>
        <source>apply</source>
        <translation>应用</translation>
    </message>
    <message>
        <source>Escape</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>end drawing, cancel a run, switch the preview off</source>
        <translation>结束绘制、取消运行、关闭预览</translation>
    </message>
    <message>
        <source>draw a box</source>
        <translation>绘制一个框</translation>
    </message>
    <message>
        <source>set points</source>
        <translation>放置点</translation>
    </message>
    <message>
        <source>points on the structure or beside it</source>
        <translation>结构上或结构外的点</translation>
    </message>
    <message>
        <source>next segment</source>
        <translation>下一个分割</translation>
    </message>
    <message>
        <source>Draw in a slice view (key B); press Escape to end.</source>
        <translation>在切片视图中绘制（B 键）；按 Esc 结束。</translation>
    </message>
    <message>
        <source>Set points in a slice view (key O; T changes between points on the structure and beside it); press Escape to end.</source>
        <translation>在切片视图中放置点（O 键；T 在结构上的点和结构外的点之间切换）；按 Esc 结束。</translation>
    </message>
    <message>
        <source>The next points lie on the structure.</source>
        <translation>接下来的点位于结构上。</translation>
    </message>
    <message>
        <source>The next points lie beside the structure.</source>
        <translation>接下来的点位于结构外。</translation>
    </message>
    <message>
        <source>This checkpoint listens to text alone; choose one that takes boxes or points.</source>
        <translation>此模型只接受文本；请选择接受框或点的模型。</translation>
    </message>
</context>
<context>
    <name>effect.live_preview</name>
    <message>
        <source>Preview: a third by height needs the whole image, which is searched once...</source>
        <translation>预览：按高度划分的三分之一需要整个图像，正在搜索一遍...</translation>
    </message>
    <message>
        <source>Preview...</source>
        <translation>预览...</translation>
    </message>
    <message>
        <source>axial</source>
        <translation>轴位</translation>
    </message>
    <message>
        <source>coronal</source>
        <translation>冠状位</translation>
    </message>
    <message>
        <source>sagittal</source>
        <translation>矢状位</translation>
    </message>
    <message>
        <source>Previewed on the {plane} slice {number} of {count}, which no view shows: the line shows where it lies.</source>
        <translation>在{plane}第 {number} 层切片（共 {count} 层）上预览，没有视图显示该层：线条标出其位置。</translation>
    </message>
    <message>
        <source>{name}, candidate {number}</source>
        <translation>{name}，第 {number} 个候选</translation>
    </message>
    <message>
        <source>{name}: {area:.1f} cm² on this slice</source>
        <translation>{name}：此切片上 {area:.1f} cm²</translation>
    </message>
    <message>
        <source>{name}: {area:.1f} cm² on this slice, max p {p:.2f}</source>
        <translation>{name}：此切片上 {area:.1f} cm²，最大 p {p:.2f}</translation>
    </message>
    <message>
        <source>{name}: not on this slice, max p {p:.2f}</source>
        <translation>{name}：不在此切片上，最大 p {p:.2f}</translation>
    </message>
</context>
<context>
    <name>effect.names_menu</name>
    <message>
        <source>Names</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>What this checkpoint knows well: everything, the organs of a region, or one by one.</source>
        <translation>此模型熟悉的内容：全部、某一区域的器官，或逐个选择。</translation>
    </message>
    <message>
        <source>Everything ({count})</source>
        <translation>全部（{count}）</translation>
    </message>
    <message>
        <source>{region} ({count})</source>
        <translation>{region}（{count}）</translation>
    </message>
    <message>
        <source>All organs of the region</source>
        <translation>该区域的所有器官</translation>
    </message>
    <message>
        <source>Other ({count})</source>
        <translation>其他（{count}）</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>头部</translation>
    </message>
    <message>
        <source>Neck</source>
        <translation>颈部</translation>
    </message>
    <message>
        <source>Chest</source>
        <translation>胸部</translation>
    </message>
    <message>
        <source>Abdomen</source>
        <translation>腹部</translation>
    </message>
    <message>
        <source>Pelvis</source>
        <translation>盆腔</translation>
    </message>
    <message>
        <source>Limbs</source>
        <translation>四肢</translation>
    </message>
</context>
<context>
    <name>effect.options</name>
    <message>
        <source>What to segment, for example "left kidney, spleen"</source>
        <translation>要分割的内容，例如“left kidney, spleen”</translation>
    </message>
    <message>
        <source>Names, synonyms, sides, thirds and lists are understood: 'upper left lung', 'liver without tumor'. Press Enter to preview. The prompt is saved with the scene.</source>
        <translation>可理解名称、同义词、左右侧、三分之一和列表：“upper left lung”、“liver without tumor”。按回车预览。提示随场景保存。</translation>
    </message>
    <message>
        <source>Again</source>
        <translation>再次</translation>
    </message>
    <message>
        <source>Take prompt, checkpoint and threshold from the selected segment, to run them again; with a box or points the next run starts from its mask.</source>
        <translation>采用所选分割的提示、模型和阈值再次运行；有框或点时，下一次运行从其蒙版开始。</translation>
    </message>
    <message>
        <source>What happens to the selected segment. With 'Set', several structures become several segments; the other operations use them together.</source>
        <translation>如何处理所选分割。选择“设置”时，多个结构成为多个分割；其他操作将它们合并使用。</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Intersect</source>
        <translation>相交</translation>
    </message>
    <message>
        <source>Preview</source>
        <translation>预览</translation>
    </message>
    <message>
        <source>Show the result on the current slice (Enter in the prompt line). It follows the slice, the prompt and the threshold until it is switched off (Escape).</source>
        <translation>在当前切片上显示结果（在提示行按回车）。它随切片、提示和阈值变化，直到关闭为止（Esc）。</translation>
    </message>
    <message>
        <source>Segment the chosen range and change the selected segment, as one undo step (Ctrl+Enter; Escape cancels).</source>
        <translation>分割所选范围并修改所选分割，作为一个可撤销的步骤（Ctrl+回车；Esc 取消）。</translation>
    </message>
    <message>
        <source>3-D</source>
        <translation>3D</translation>
    </message>
    <message>
        <source>Show the segments as surfaces in the 3-D views, or hide them there.</source>
        <translation>在三维视图中以曲面显示分割，或将其隐藏。</translation>
    </message>
    <message>
        <source>Prompt:</source>
        <translation>提示：</translation>
    </message>
    <message>
        <source>Image is:</source>
        <translation>图像为：</translation>
    </message>
    <message>
        <source>Checkpoint:</source>
        <translation>模型：</translation>
    </message>
    <message>
        <source>Hints:</source>
        <translation>提示信息：</translation>
    </message>
    <message>
        <source>Candidates:</source>
        <translation>候选：</translation>
    </message>
    <message>
        <source>Range:</source>
        <translation>范围：</translation>
    </message>
    <message>
        <source>Operation:</source>
        <translation>操作：</translation>
    </message>
    <message>
        <source>Threshold:</source>
        <translation>阈值：</translation>
    </message>
    <message>
        <source>Overlay:</source>
        <translation>叠加：</translation>
    </message>
    <message>
        <source>threshold {value:.2f}</source>
        <translation>阈值 {value:.2f}</translation>
    </message>
</context>
<context>
    <name>effect.overlay_box</name>
    <message>
        <source>Show over the image how probable each voxel is, how unsure the answer, or where the network looked; of several structures the largest value.</source>
        <translation>在图像上显示每个体素的概率、答案的不确定性或网络关注的位置；多个结构时取最大值。</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>概率</translation>
    </message>
    <message>
        <source>Uncertainty</source>
        <translation>不确定性</translation>
    </message>
    <message>
        <source>Heat map: where the network looked</source>
        <translation>热图：网络关注的位置</translation>
    </message>
</context>
<context>
    <name>effect.preview</name>
    <message>
        <source>Text prompt preview</source>
        <translation>文本提示预览</translation>
    </message>
    <message>
        <source>Text prompt slice</source>
        <translation>文本提示切片</translation>
    </message>
</context>
<context>
    <name>effect.readiness</name>
    <message>
        <source>Loading the checkpoint... {seconds} s</source>
        <translation>正在加载模型... {seconds} 秒</translation>
    </message>
</context>
<context>
    <name>effect.source</name>
    <message>
        <source>No slice view is shown; choose a layout with one.</source>
        <translation>没有显示切片视图；请选择包含切片视图的布局。</translation>
    </message>
    <message>
        <source>The slice view is outside the volume; scroll to the volume.</source>
        <translation>切片视图位于体数据之外；请滚动到体数据处。</translation>
    </message>
    <message>
        <source>Type what to segment, for example: liver</source>
        <translation>请输入要分割的内容，例如：liver</translation>
    </message>
    <message>
        <source>No checkpoint is installed; import one in the module Text Prompt Segmentation.</source>
        <translation>未安装任何模型；请在“文本提示分割”模块中导入一个。</translation>
    </message>
    <message>
        <source>The licence of the checkpoint was not accepted.</source>
        <translation>未接受该模型的许可证。</translation>
    </message>
    <message>
        <source>Select a region of interest, or another range.</source>
        <translation>请选择感兴趣区域，或其他范围。</translation>
    </message>
</context>
<context>
    <name>panel.batch_section</name>
    <message>
        <source>Batch</source>
        <translation>批处理</translation>
    </message>
    <message>
        <source>Volumes of the scene</source>
        <translation>场景中的体数据</translation>
    </message>
    <message>
        <source>Images of a folder</source>
        <translation>文件夹中的图像</translation>
    </message>
    <message>
        <source>Folder with images</source>
        <translation>图像文件夹</translation>
    </message>
    <message>
        <source>Folder for results and summary.csv</source>
        <translation>存放结果和 summary.csv 的文件夹</translation>
    </message>
    <message>
        <source>Skip images that an earlier run finished</source>
        <translation>跳过先前运行已完成的图像</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>图像</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>ml</source>
        <translation>ml</translation>
    </message>
    <message>
        <source>Remark</source>
        <translation>备注</translation>
    </message>
    <message>
        <source>Use the prompts, checkpoint and threshold chosen above.</source>
        <translation>使用上面选择的提示、模型和阈值。</translation>
    </message>
    <message>
        <source>Images:</source>
        <translation>图像：</translation>
    </message>
    <message>
        <source>Folder:</source>
        <translation>文件夹：</translation>
    </message>
    <message>
        <source>Results:</source>
        <translation>结果：</translation>
    </message>
    <message>
        <source>Cancelled; what was finished is in the results folder.</source>
        <translation>已取消；已完成的内容在结果文件夹中。</translation>
    </message>
    <message>
        <source>done before</source>
        <translation>先前已完成</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>{done} of {total} images done, {failed} failed.</source>
        <translation>{total} 个图像中完成 {done} 个，失败 {failed} 个。</translation>
    </message>
    <message>
        <source>Table: {path}</source>
        <translation>表格：{path}</translation>
    </message>
    <message>
        <source>Choose the folders of the images and of the results.</source>
        <translation>请选择图像文件夹和结果文件夹。</translation>
    </message>
</context>
<context>
    <name>panel.device_box</name>
    <message>
        <source>Where the network runs. Automatic takes the GPU with most memory.</source>
        <translation>网络在何处运行。“自动”采用内存最多的 GPU。</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>查找</translation>
    </message>
    <message>
        <source>Start the worker and list devices with their free memory.</source>
        <translation>启动工作进程并列出设备及其可用内存。</translation>
    </message>
    <message>
        <source>Unload model</source>
        <translation>卸载模型</translation>
    </message>
    <message>
        <source>End the worker process; all its memory is given back.</source>
        <translation>结束工作进程；释放其全部内存。</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>{device}, {size} free</source>
        <translation>{device}，可用 {size}</translation>
    </message>
    <message>
        <source>A run will need about {size}.</source>
        <translation>一次运行约需 {size}。</translation>
    </message>
    <message>
        <source>A run will need about {size}; {free} are free.</source>
        <translation>一次运行约需 {size}；可用 {free}。</translation>
    </message>
    <message>
        <source>Choose a smaller range or another device if it fails.</source>
        <translation>若失败，请选择较小的范围或其他设备。</translation>
    </message>
</context>
<context>
    <name>panel.models_section</name>
    <message>
        <source>Checkpoints</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Checkpoint</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>许可证</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>图像</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>下载</translation>
    </message>
    <message>
        <source>Get this checkpoint; can resume.</source>
        <translation>获取此模型；可断点续传。</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>校验</translation>
    </message>
    <message>
        <source>Compare the sha256 of the weights.</source>
        <translation>比较权重的 sha256。</translation>
    </message>
    <message>
        <source>Model card</source>
        <translation>模型说明卡</translation>
    </message>
    <message>
        <source>Training data, results, known failures.</source>
        <translation>训练数据、结果、已知缺陷。</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Delete an imported checkpoint.</source>
        <translation>删除已导入的模型。</translation>
    </message>
    <message>
        <source>Import folder...</source>
        <translation>导入文件夹...</translation>
    </message>
    <message>
        <source>Copy a checkpoint folder.</source>
        <translation>复制模型文件夹。</translation>
    </message>
    <message>
        <source>Import zip...</source>
        <translation>导入 zip...</translation>
    </message>
    <message>
        <source>Unpack a checkpoint zip.</source>
        <translation>解压模型 zip 文件。</translation>
    </message>
    <message>
        <source>Import weights...</source>
        <translation>导入权重...</translation>
    </message>
    <message>
        <source>Make a checkpoint of a file of weights that others publish.</source>
        <translation>由他人发布的权重文件生成模型。</translation>
    </message>
    <message>
        <source>Whose weights the file holds; nothing is guessed from its name.</source>
        <translation>文件中权重的来源；不会根据文件名猜测。</translation>
    </message>
    <message>
        <source>Change folder...</source>
        <translation>更改文件夹...</translation>
    </message>
    <message>
        <source>Keep imported and downloaded checkpoints elsewhere; what is there is not moved.</source>
        <translation>将导入和下载的模型存放在其他位置；已有内容不会移动。</translation>
    </message>
    <message>
        <source>Imported checkpoints are kept in {folder}</source>
        <translation>导入的模型存放在 {folder}</translation>
    </message>
    <message>
        <source>shipped</source>
        <translation>随附</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>已导入</translation>
    </message>
    <message>
        <source>download</source>
        <translation>可下载</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>已损坏</translation>
    </message>
    <message>
        <source>{name} is installed; its sha256 is right.</source>
        <translation>{name} 已安装；其 sha256 正确。</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Folder of a checkpoint</source>
        <translation>模型文件夹</translation>
    </message>
    <message>
        <source>Zip of a checkpoint</source>
        <translation>模型 zip 文件</translation>
    </message>
    <message>
        <source>File of weights</source>
        <translation>权重文件</translation>
    </message>
    <message>
        <source>{name} was imported.</source>
        <translation>{name} 已导入。</translation>
    </message>
    <message>
        <source>Folder for checkpoints</source>
        <translation>模型文件夹</translation>
    </message>
    <message>
        <source>Delete the checkpoint '{name}' from this computer?</source>
        <translation>从此计算机删除模型“{name}”？</translation>
    </message>
    <message>
        <source>{name} was deleted.</source>
        <translation>{name} 已删除。</translation>
    </message>
    <message>
        <source>This checkpoint has no model card.</source>
        <translation>此模型没有说明卡。</translation>
    </message>
    <message>
        <source>Download '{title}' ({size})?

Licence: {licence}
{line}</source>
        <translation>下载“{title}”（{size}）？

许可证：{licence}
{line}</translation>
    </message>
    <message>
        <source>Download a checkpoint</source>
        <translation>下载模型</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>已取消。</translation>
    </message>
    <message>
        <source>{names} and {count} more</source>
        <translation>{names} 以及另外 {count} 个</translation>
    </message>
    <message>
        <source>any words (open vocabulary)</source>
        <translation>任意词语（开放词汇）</translation>
    </message>
    <message>
        <source>Trained on: {prompts}</source>
        <translation>训练内容：{prompts}</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>未说明</translation>
    </message>
    <message>
        <source>Measured: {tiers}</source>
        <translation>实测：{tiers}</translation>
    </message>
    <message>
        <source>Licence: {licence}</source>
        <translation>许可证：{licence}</translation>
    </message>
</context>
<context>
    <name>panel.panel</name>
    <message>
        <source>The console call is on the clipboard.</source>
        <translation>控制台调用已复制到剪贴板。</translation>
    </message>
    <message>
        <source>Undone.</source>
        <translation>已撤销。</translation>
    </message>
    <message>
        <source>There is nothing to undo.</source>
        <translation>没有可撤销的内容。</translation>
    </message>
    <message>
        <source>{count} candidates were added as segments.</source>
        <translation>已将 {count} 个候选添加为分割。</translation>
    </message>
    <message>
        <source>No volume is selected; load or choose one first.</source>
        <translation>未选择体数据；请先加载或选择一个。</translation>
    </message>
    <message>
        <source>Type what to segment, for example: liver</source>
        <translation>请输入要分割的内容，例如：liver</translation>
    </message>
    <message>
        <source>No checkpoint is installed; import one under Checkpoints.</source>
        <translation>未安装任何模型；请在“模型”下导入一个。</translation>
    </message>
    <message>
        <source>The licence of the checkpoint was not accepted.</source>
        <translation>未接受该模型的许可证。</translation>
    </message>
    <message>
        <source>Select a region of interest, or another range.</source>
        <translation>请选择感兴趣区域，或其他范围。</translation>
    </message>
    <message>
        <source>Cancelled; nothing was changed.</source>
        <translation>已取消；未作任何更改。</translation>
    </message>
    <message>
        <source>{count} frames were segmented.</source>
        <translation>已分割 {count} 帧。</translation>
    </message>
</context>
<context>
    <name>panel.results_section</name>
    <message>
        <source>Results</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>max p</source>
        <translation>最大 p</translation>
    </message>
    <message>
        <source>s</source>
        <translation>秒</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>概率</translation>
    </message>
    <message>
        <source>Show the probability of the selected row over the image, as a volume.</source>
        <translation>将所选行的概率作为体数据显示在图像上。</translation>
    </message>
    <message>
        <source>Uncertainty</source>
        <translation>不确定性</translation>
    </message>
    <message>
        <source>Show where the answer of the selected row is unsure, as a volume.</source>
        <translation>将所选行答案不确定的位置显示为体数据。</translation>
    </message>
    <message>
        <source>Heat map</source>
        <translation>热图</translation>
    </message>
    <message>
        <source>Show where the network looked for the selected row, as a volume.</source>
        <translation>将网络对所选行关注的位置显示为体数据。</translation>
    </message>
    <message>
        <source>Candidates</source>
        <translation>候选</translation>
    </message>
    <message>
        <source>Add every candidate of the selected row as a segment, to choose from.</source>
        <translation>将所选行的每个候选添加为分割，以供选择。</translation>
    </message>
    <message>
        <source>Copy as Python</source>
        <translation>复制为 Python</translation>
    </message>
    <message>
        <source>Put the console call that does the same on the clipboard.</source>
        <translation>将执行相同操作的控制台调用复制到剪贴板。</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>复制表格</translation>
    </message>
    <message>
        <source>Put the table with sizes and outcomes on the clipboard, for a spreadsheet.</source>
        <translation>将包含大小和结果的表格复制到剪贴板，用于电子表格。</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>统计</translation>
    </message>
    <message>
        <source>Compute volumes and intensities of all segments into a Segment Statistics table.</source>
        <translation>将所有分割的体积和强度计算到“分割统计”表格中。</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Take back the last run of this panel.</source>
        <translation>撤回此面板的上一次运行。</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>Show the middle of this structure in the slice views.</source>
        <translation>在切片视图中显示此结构的中心。</translation>
    </message>
    <message>
        <source>Volume (ml)</source>
        <translation>体积 (ml)</translation>
    </message>
    <message>
        <source>Voxels</source>
        <translation>体素</translation>
    </message>
    <message>
        <source>Remark</source>
        <translation>备注</translation>
    </message>
    <message>
        <source>{name} statistics</source>
        <translation>{name} 统计</translation>
    </message>
    <message>
        <source>{outcome}, unusual</source>
        <translation>{outcome}，异常</translation>
    </message>
    <message>
        <source>found</source>
        <translation>已找到</translation>
    </message>
    <message>
        <source>below threshold</source>
        <translation>低于阈值</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>未找到</translation>
    </message>
    <message>
        <source>not trained</source>
        <translation>未训练</translation>
    </message>
</context>
<context>
    <name>panel.scene_batch</name>
    <message>
        <source>It was deleted.</source>
        <translation>已被删除。</translation>
    </message>
    <message>
        <source>Image {number} of {count}: {progress}</source>
        <translation>图像 {number} / {count}：{progress}</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>已取消。</translation>
    </message>
</context>
<context>
    <name>panel.segment_section</name>
    <message>
        <source>Segment</source>
        <translation>分割</translation>
    </message>
    <message>
        <source>The image; a sequence is segmented frame by frame.</source>
        <translation>图像；序列逐帧分割。</translation>
    </message>
    <message>
        <source>All frames of the sequence</source>
        <translation>序列的所有帧</translation>
    </message>
    <message>
        <source>One structure per line, or several with commas</source>
        <translation>每行一个结构，或用逗号分隔多个</translation>
    </message>
    <message>
        <source>One answer</source>
        <translation>单一答案</translation>
    </message>
    <message>
        <source>How many plausible answers to draw; the result is their mean, with its uncertainty.</source>
        <translation>生成多少个可能的答案；结果为其平均值及其不确定性。</translation>
    </message>
    <message>
        <source>Candidates:</source>
        <translation>候选：</translation>
    </message>
    <message>
        <source>Segments are added to it; its own segments stay as they are.</source>
        <translation>新的分割添加到其中；原有分割保持不变。</translation>
    </message>
    <message>
        <source>Create new segmentation</source>
        <translation>新建分割</translation>
    </message>
    <message>
        <source>Segment the image; the window stays free meanwhile.</source>
        <translation>分割图像；其间窗口仍可使用。</translation>
    </message>
    <message>
        <source>Input volume:</source>
        <translation>输入体数据：</translation>
    </message>
    <message>
        <source>Image is:</source>
        <translation>图像为：</translation>
    </message>
    <message>
        <source>Prompts:</source>
        <translation>提示：</translation>
    </message>
    <message>
        <source>Checkpoint:</source>
        <translation>模型：</translation>
    </message>
    <message>
        <source>Hints:</source>
        <translation>提示信息：</translation>
    </message>
    <message>
        <source>Range:</source>
        <translation>范围：</translation>
    </message>
    <message>
        <source>Threshold:</source>
        <translation>阈值：</translation>
    </message>
    <message>
        <source>Device:</source>
        <translation>设备：</translation>
    </message>
    <message>
        <source>Output:</source>
        <translation>输出：</translation>
    </message>
</context>
<context>
    <name>panel.sequence_run</name>
    <message>
        <source>Frame {number} of {count}: {progress}</source>
        <translation>第 {number} 帧，共 {count} 帧：{progress}</translation>
    </message>
</context>
<context>
    <name>panel.setup_section</name>
    <message>
        <source>Dependencies</source>
        <translation>依赖项</translation>
    </message>
    <message>
        <source>Install</source>
        <translation>安装</translation>
    </message>
    <message>
        <source>Folder with wheels, to install without a network</source>
        <translation>存放 wheel 文件的文件夹，用于无网络安装</translation>
    </message>
    <message>
        <source>Slicer's own Python</source>
        <translation>Slicer 自带的 Python</translation>
    </message>
    <message>
        <source>Another Python interpreter with textpromptseg installed, to run the worker in.</source>
        <translation>另一个已安装 textpromptseg 的 Python 解释器，用于运行工作进程。</translation>
    </message>
    <message>
        <source>Offline:</source>
        <translation>离线：</translation>
    </message>
    <message>
        <source>Interpreter:</source>
        <translation>解释器：</translation>
    </message>
    <message>
        <source>The last installation was not finished; press Install to go on.</source>
        <translation>上次安装未完成；按“安装”继续。</translation>
    </message>
    <message>
        <source>Folder with wheels</source>
        <translation>存放 wheel 文件的文件夹</translation>
    </message>
</context>
<context>
    <name>shared.dependencies</name>
    <message>
        <source>There is no program '{path}'; choose a Python interpreter.</source>
        <translation>没有程序“{path}”；请选择 Python 解释器。</translation>
    </message>
    <message>
        <source>'{path}' does not run as Python: {error}.</source>
        <translation>“{path}”不能作为 Python 运行：{error}。</translation>
    </message>
    <message>
        <source>'{path}' does not run as Python.</source>
        <translation>“{path}”不能作为 Python 运行。</translation>
    </message>
    <message>
        <source>'{path}' lacks {names}; install textpromptseg there.</source>
        <translation>“{path}”缺少 {names}；请在其中安装 textpromptseg。</translation>
    </message>
    <message>
        <source>Segmenting needs these Python packages first: {names}. &lt;a href="install"&gt;Open the module Text Prompt Segmentation&lt;/a&gt; and press Install.</source>
        <translation>分割前需要先安装这些 Python 包：{names}。&lt;a href="install"&gt;打开“文本提示分割”模块&lt;/a&gt;并按“安装”。</translation>
    </message>
    <message>
        <source>Everything is installed.</source>
        <translation>全部已安装。</translation>
    </message>
    <message>
        <source>about {size} MB</source>
        <translation>约 {size} MB</translation>
    </message>
    <message>
        <source>about {cpu} MB; with a CUDA graphics card up to {gpu} MB</source>
        <translation>约 {cpu} MB；使用 CUDA 显卡时最多 {gpu} MB</translation>
    </message>
    <message>
        <source>Install will download into Slicer's Python:
{list}</source>
        <translation>“安装”将下载到 Slicer 的 Python 中：
{list}</translation>
    </message>
    <message>
        <source>The folder '{folder}' does not exist.</source>
        <translation>文件夹“{folder}”不存在。</translation>
    </message>
    <message>
        <source>Installing PyTorch...</source>
        <translation>正在安装 PyTorch...</translation>
    </message>
    <message>
        <source>Installing {names}...</source>
        <translation>正在安装 {names}...</translation>
    </message>
    <message>
        <source>The installation stopped: {reason}. What is already installed stays; press Install to go on, or choose a folder with wheels when there is no network.</source>
        <translation>安装已停止：{reason}。已安装的内容会保留；按“安装”继续，没有网络时请选择存放 wheel 文件的文件夹。</translation>
    </message>
    <message>
        <source>Still missing: {names}. Restart Slicer and press Install again.</source>
        <translation>仍缺少：{names}。请重新启动 Slicer，然后再次按“安装”。</translation>
    </message>
    <message>
        <source>The extension PyTorch is needed to install torch for this computer; install it with the Extensions Manager, restart Slicer and press Install again.</source>
        <translation>需要 PyTorch 扩展来为此计算机安装 torch；请用扩展管理器安装它，重新启动 Slicer，然后再次按“安装”。</translation>
    </message>
    <message>
        <source>PyTorch was not installed; press Install to try again.</source>
        <translation>未安装 PyTorch；请按“安装”重试。</translation>
    </message>
</context>
<context>
    <name>shared.overlays</name>
    <message>
        <source>probability</source>
        <translation>概率</translation>
    </message>
    <message>
        <source>uncertainty</source>
        <translation>不确定性</translation>
    </message>
    <message>
        <source>heat map</source>
        <translation>热图</translation>
    </message>
    <message>
        <source>Text prompt {map}</source>
        <translation>文本提示 {map}</translation>
    </message>
</context>
<context>
    <name>shared.quality_words</name>
    <message>
        <source>good</source>
        <translation>良好</translation>
    </message>
    <message>
        <source>fair</source>
        <translation>一般</translation>
    </message>
    <message>
        <source>experimental</source>
        <translation>实验性</translation>
    </message>
    <message>
        <source>{tier}, Dice {dice} in {count} cases</source>
        <translation>{tier}，{count} 例中 Dice {dice}</translation>
    </message>
</context>
<context>
    <name>shared.runs</name>
    <message>
        <source>{step}...</source>
        <translation>{step}...</translation>
    </message>
    <message>
        <source>Starting...</source>
        <translation>正在启动...</translation>
    </message>
    <message>
        <source>{percent} %</source>
        <translation>{percent} %</translation>
    </message>
    <message>
        <source>{progress}, about {time} left</source>
        <translation>{progress}，约剩 {time}</translation>
    </message>
    <message>
        <source>Computed on {device} in {time:.1f} s.</source>
        <translation>在 {device} 上计算，用时 {time:.1f} 秒。</translation>
    </message>
    <message>
        <source>Memory ran out, so it {steps}.</source>
        <translation>内存不足，因此：{steps}。</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} 秒</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes} 分 {seconds} 秒</translation>
    </message>
</context>
</TS>
